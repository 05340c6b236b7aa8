//! How formats that are recognised and not read show themselves in their first bytes. Each function
//! gives the version or content, or `None` if it is not that format. Whoever builds a format takes its
//! function along.

/// The first line, if it is text.
pub(super) fn line(head: &[u8]) -> Option<&str> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    let text = std::str::from_utf8(line.trim_ascii_end()).ok()?;
    (!text.chars().any(|c| c.is_control() && c != '\t')).then_some(text)
}

pub(super) fn dbz(head: &[u8]) -> Option<String> {
    let [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, _, _, b'D', b'B', b'Z', ..] = head else {
        return None;
    };
    Some(String::new())
}

pub(super) fn journal(head: &[u8]) -> Option<String> {
    head.starts_with(b"TLJOURN").then(String::new)
}
