//! Who we are to a venue that tells its market data to those only whom it knows.
//!
//! The driver holds the secrets and signs; nothing here keeps a copy of them.

/// See the module.
pub trait Login: Send {
    /// The key that the venue knows us by.
    fn key(&self) -> &str;

    /// The passphrase of that key.
    fn passphrase(&self) -> &str;

    /// The signature of a text, in the venue's form.
    fn sign(&mut self, text: &[u8]) -> String;

    /// What a venue said, without what nobody else may see.
    fn blanked(&self, said: &str) -> String;
}
