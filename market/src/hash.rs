//! Fingerprints of state: the same inputs must give the same hash on any machine.

use xxhash_rust::xxh3::Xxh3;

/// Takes words and bytes in a fixed order and gives their xxh3-128. Order matters; no type hashes
/// anything whose order is not fixed.
///
/// ```
/// use market::StateHasher;
/// let mut one = StateHasher::new();
/// one.word(1);
/// let mut two = StateHasher::new();
/// two.word(2);
/// assert_ne!(one.finish(), two.finish());
/// ```
#[derive(Clone, Default)]
pub struct StateHasher(Xxh3);

impl StateHasher {
    /// The hash of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a word.
    pub fn word(&mut self, word: u64) {
        self.0.update(&word.to_le_bytes());
    }

    /// Adds a signed wide word.
    pub fn wide(&mut self, word: i128) {
        self.0.update(&word.to_le_bytes());
    }

    /// Adds bytes, preceded by their length so that neighbours cannot blur.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        self.0.update(bytes);
    }

    /// The fingerprint so far.
    #[must_use]
    pub fn finish(&self) -> u128 {
        self.0.digest128()
    }
}

impl std::fmt::Debug for StateHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StateHasher({:032x})", self.finish())
    }
}
