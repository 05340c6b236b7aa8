//! What an operator tells the loop: enters through `control_trading` and is journaled like every
//! other input.

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ControlKind {
    /// Cancel everything and send nothing new until cleared.
    Kill = 1,
    /// Release the kill latch and every halted instrument; names who and why.
    Clear = 2,
    /// Stop quoting and cancel: the run ends.
    Stop = 3,
}

/// One operator's act: 120 bytes, `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Control {
    kind: u8,
    name_len: u8,
    reason_len: u8,
    name: [u8; 32],
    reason: [u8; 85],
}

const _: () = assert!(size_of::<Control>() == 120);

impl Default for Control {
    fn default() -> Self {
        Control { kind: 0, name_len: 0, reason_len: 0, name: [0; 32], reason: [0; 85] }
    }
}

impl Control {
    /// Length of the stored form.
    pub const BYTES: usize = 120;
    /// Longest name and reason, in bytes; longer ones are cut at a character.
    pub const NAME_MAX: usize = 32;
    /// See [`Control::NAME_MAX`].
    pub const REASON_MAX: usize = 85;

    /// An act of `name` for `reason`.
    #[must_use]
    pub fn new(kind: ControlKind, name: &str, reason: &str) -> Control {
        let mut control = Control { kind: kind as u8, ..Control::default() };
        control.name_len = copy(name, &mut control.name);
        control.reason_len = copy(reason, &mut control.reason);
        control
    }

    /// What is asked; `None` for an unknown byte.
    #[must_use]
    pub const fn kind(&self) -> Option<ControlKind> {
        match self.kind {
            1 => Some(ControlKind::Kill),
            2 => Some(ControlKind::Clear),
            3 => Some(ControlKind::Stop),
            _ => None,
        }
    }

    /// Who asked.
    #[must_use]
    pub fn name(&self) -> &str {
        text(&self.name, self.name_len)
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        text(&self.reason, self.reason_len)
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..3].copy_from_slice(&[self.kind, self.name_len, self.reason_len]);
        bytes[3..35].copy_from_slice(&self.name);
        bytes[35..].copy_from_slice(&self.reason);
        bytes
    }

    /// The act of a stored form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Control {
        Control {
            kind: bytes[0],
            name_len: bytes[1],
            reason_len: bytes[2],
            name: std::array::from_fn(|i| bytes[3 + i]),
            reason: std::array::from_fn(|i| bytes[35 + i]),
        }
    }
}

fn copy(from: &str, into: &mut [u8]) -> u8 {
    let mut len = from.len().min(into.len());
    while !from.is_char_boundary(len) {
        len -= 1;
    }
    into[..len].copy_from_slice(&from.as_bytes()[..len]);
    u8::try_from(len).unwrap_or(0)
}

fn text(bytes: &[u8], len: u8) -> &str {
    let bytes = bytes.get(..usize::from(len)).unwrap_or(bytes);
    std::str::from_utf8(bytes).unwrap_or("(not UTF-8)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_and_are_cut_at_characters() {
        let long = "é".repeat(60);
        let control = Control::new(ControlKind::Clear, "Ada", &long);
        let again = Control::from_bytes(&control.to_bytes());
        assert_eq!(again, control);
        assert_eq!((again.kind(), again.name()), (Some(ControlKind::Clear), "Ada"));
        assert_eq!(again.reason(), "é".repeat(42));
        assert_eq!(Control::from_bytes(&[0xff; 120]).name(), "(not UTF-8)");
    }
}
