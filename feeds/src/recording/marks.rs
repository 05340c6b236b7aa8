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

/// `<local nanoseconds> <JSON>`.
pub(super) fn binance_raw(head: &[u8]) -> Option<String> {
    let (time, json) = head.split_at_checked(20)?;
    let time = time[..19].iter().all(u8::is_ascii_digit) && time[19] == b' ';
    // The frame may be longer than what is looked at: its beginning must do.
    (time && json.starts_with(b"{")).then(String::new)
}

/// `<url> <-> <seconds>`, as cryptofeed's recorder begins a connection.
pub(super) fn cryptofeed(head: &[u8], host: &str) -> Option<String> {
    let line = line(head)?.strip_prefix("wss://")?;
    let (url, time) = line.split_once(" <-> ")?;
    let seconds = time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (seconds && url.split('/').next()?.contains(host)).then(String::new)
}

pub(super) fn kraken(head: &[u8]) -> Option<String> {
    cryptofeed(head, "kraken.com")
}

pub(super) fn coinbase(head: &[u8]) -> Option<String> {
    cryptofeed(head, "coinbase.com")
}

pub(super) fn journal(head: &[u8]) -> Option<String> {
    head.starts_with(b"TLJOURN").then(String::new)
}
