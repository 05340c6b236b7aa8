//! How a message's layout becomes code: the header that all share, the kinds of field, and the macro
//! that makes of each row of [`super::message`] a type that reads and writes itself.
//!
//! Reading inlines to loads at constant places. Nothing here knows a particular message.

/// Bytes before the first field of a message's own: type, locate, tracking number, time.
pub const HEADER_BYTES: usize = 11;

/// What every message begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The day's code of the instrument; zero for messages that concern none.
    pub locate: u16,
    /// The venue's internal tracking number.
    pub tracking: u16,
    /// Nanoseconds since midnight of the venue, 48 bits.
    pub time: u64,
}

impl Header {
    #[inline(always)]
    pub(super) fn read<const N: usize>(bytes: &[u8; N]) -> Header {
        // Tracking number and time are eight adjacent bytes: one load.
        let joined = u64::from_be_bytes(chunk(bytes, 3));
        #[allow(clippy::cast_possible_truncation)]
        Header {
            locate: u16::from_be_bytes(chunk(bytes, 1)),
            tracking: (joined >> 48) as u16,
            time: joined & 0xffff_ffff_ffff,
        }
    }

    pub(super) fn write<const N: usize>(&self, bytes: &mut [u8; N]) {
        let joined = u64::from(self.tracking) << 48 | self.time & 0xffff_ffff_ffff;
        bytes[1..3].copy_from_slice(&self.locate.to_be_bytes());
        bytes[3..HEADER_BYTES].copy_from_slice(&joined.to_be_bytes());
    }
}

/// `N` bytes at a constant place within an array: a plain load.
#[inline(always)]
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// A type that a field may have; its size in memory is its size on the wire.
pub(super) trait Field: Sized {
    fn read(bytes: &[u8], at: usize) -> Self;
    fn write(&self, bytes: &mut [u8], at: usize);
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            #[inline(always)]
            fn read(bytes: &[u8], at: usize) -> Self {
                <$ty>::from_be_bytes(chunk(bytes, at))
            }

            fn write(&self, bytes: &mut [u8], at: usize) {
                bytes[at..at + size_of::<$ty>()].copy_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
integers!(u8, u32, u64);

impl<const N: usize> Field for [u8; N] {
    #[inline(always)]
    fn read(bytes: &[u8], at: usize) -> Self {
        chunk(bytes, at)
    }

    fn write(&self, bytes: &mut [u8], at: usize) {
        bytes[at..at + N].copy_from_slice(self);
    }
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $type:literal, $length:literal {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $at:literal,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name {
                /// Locate, tracking number, time.
                pub header: Header,
                $($(#[$field_doc])* pub $field: $ty,)*
            }

            const _: () = assert!(HEADER_BYTES $(+ size_of::<$ty>())* == $length);
            const _: () = assert!($length <= LENGTH_MAX);

            impl $name {
                /// The message's first byte.
                pub const TYPE: u8 = $type;
                /// Its length, type byte included.
                pub const LENGTH: usize = $length;

                /// The fields of `bytes`; `None` if their count is not the message's length. The
                /// type byte is the caller's to check.
                #[inline(always)]
                #[must_use]
                pub fn read(bytes: &[u8]) -> Option<$name> {
                    let bytes: &[u8; $length] = bytes.try_into().ok()?;
                    Some($name {
                        header: Header::read(bytes),
                        $($field: <$ty as Field>::read(bytes, $at),)*
                    })
                }

                /// The message as it goes on the wire.
                #[must_use]
                pub fn write(&self) -> [u8; $length] {
                    let mut bytes = [0; $length];
                    bytes[0] = $type;
                    self.header.write(&mut bytes);
                    $(self.$field.write(&mut bytes, $at);)*
                    bytes
                }
            }
        )*

        /// Any message, for whoever wants to see all of them: printers, checkers, tests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Message {
            $($(#[$doc])* $name($name),)*
        }

        impl Message {
            /// Every type byte, in the order of the specification.
            pub const TYPES: &[u8] = &[$($type),*];

            /// The message that `bytes` are.
            ///
            /// # Errors
            /// [`MessageError`] if the type is unknown or the length is not the type's.
            pub fn parse(bytes: &[u8]) -> Result<Message, MessageError> {
                match bytes.first() {
                    $(Some(&$type) => {
                        $name::read(bytes).map(Message::$name).ok_or(MessageError::BadLength)
                    })*
                    _ => Err(MessageError::UnknownType),
                }
            }

            /// The message's fields before its own.
            #[must_use]
            pub fn header(&self) -> Header {
                match self { $(Message::$name(message) => message.header,)* }
            }

            /// Writes the message to the front of `buffer`; its bytes are returned.
            pub fn write<'a>(&self, buffer: &'a mut [u8; LENGTH_MAX]) -> &'a [u8] {
                match self {
                    $(Message::$name(message) => {
                        buffer[..$length].copy_from_slice(&message.write());
                        &buffer[..$length]
                    })*
                }
            }
        }

        /// The length of messages of a type; `None` for a byte that is no type.
        #[must_use]
        pub const fn length(kind: u8) -> Option<usize> {
            match kind {
                $($type => Some($length),)*
                _ => None,
            }
        }
    };
}
pub(super) use messages;
