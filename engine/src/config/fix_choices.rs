//! Choices between the few ways that venues do one thing in FIX.
//!
//! Words only; what they lead to is the gateway's business.

use super::choice::{choice, listed, one_of};
use super::key::Key;
use super::reader::Value;
use super::value::{Field, Wrong, quoted};
use std::fmt;

choice! {
    /// A version of FIX, by its BeginString (8).
    pub enum FixVersion {
        /// FIX.4.2.
        Fix42 = "FIX.4.2",
        /// FIX.4.4.
        Fix44 = "FIX.4.4",
        /// FIX.5.0SP2 over FIXT.1.1.
        Fix50Sp2 = "FIXT.1.1",
    }
}

choice! {
    /// Fractional digits of the times we send.
    pub enum TimeDigits {
        /// None.
        Seconds = "s",
        /// Three.
        Millis = "ms",
        /// Six.
        Micros = "us",
        /// Nine.
        Nanos = "ns",
    }
}

choice! {
    /// Whether a Logon may begin sequence numbers anew (141=Y).
    pub enum ResetRule {
        /// It must.
        Required = "required",
        /// It may.
        Allowed = "allowed",
        /// It must not.
        Refused = "refused",
    }
}

choice! {
    /// How far received messages are held against the dictionary.
    pub enum ValidationWord {
        /// Not at all.
        None = "none",
        /// Types, fields, groups.
        Structure = "structure",
        /// And formats and values.
        Full = "full",
    }
}

choice! {
    /// A form of ClOrdIDs.
    pub enum OrderIdForm {
        /// Digits.
        Decimal = "decimal",
        /// UUIDs of version 4.
        Uuid = "uuid",
    }
}

choice! {
    /// One of the two fields that may hold our id of an order.
    pub enum IdField {
        /// ClOrdID.
        ClOrdId = "11",
        /// OrigClOrdID.
        OrigClOrdId = "41",
    }
}

choice! {
    /// How open orders are made sure of after a logon.
    pub enum OpenOrdersBy {
        /// OrderMassStatusRequest (AF).
        MassStatus = "mass_status",
        /// OrderStatusRequest (H) for each that may be open.
        OrderStatus = "order_status",
        /// OrderMassCancelRequest (q): what may be open is canceled.
        Cancel = "cancel",
    }
}

choice! {
    /// What News (B) leads to.
    pub enum NewsAction {
        /// It is counted and logged.
        Ignore = "ignore",
        /// And we log out and come again.
        Reconnect = "reconnect",
        /// And we log out and come again with sequence numbers that begin at 1.
        Reset = "reset",
    }
}

choice! {
    /// What stands between the pieces that are signed.
    pub enum JoinWord {
        /// Nothing.
        None = "none",
        /// SOH.
        Soh = "soh",
        /// Whole fields, each with its SOH.
        Fields = "fields",
    }
}

choice! {
    /// What is done to the joined pieces.
    pub enum SchemeWord {
        /// HMAC-SHA256.
        HmacSha256 = "hmac-sha256",
        /// HMAC-SHA512 of the SHA-256 digest.
        HmacSha512OfSha256 = "hmac-sha512-of-sha256",
        /// SHA-256 of pieces and secret.
        Sha256WithSecret = "sha256-with-secret",
        /// Ed25519.
        Ed25519 = "ed25519",
    }
}

choice! {
    /// The form of a secret.
    pub enum SecretWord {
        /// Its characters.
        Text = "text",
        /// Base64.
        Base64 = "base64",
        /// PEM of PKCS#8.
        Pem = "pem",
    }
}

choice! {
    /// The form of a signature.
    pub enum OutputWord {
        /// Base64.
        Base64 = "base64",
        /// Hexadecimal.
        Hex = "hex",
    }
}

choice! {
    /// What a nonce is.
    pub enum NonceWord {
        /// Milliseconds.
        Millis = "ms",
        /// Milliseconds, a point, base64 of 32 random bytes.
        MillisAndRandom = "ms.random",
    }
}

choice! {
    /// How a limit counts time.
    pub enum WindowWord {
        /// Windows that begin with the first message after the one before.
        Fixed = "fixed",
        /// Windows one after the other by the clock.
        FixedClock = "fixed_clock",
        /// The last while, at every moment.
        Sliding = "sliding",
        /// A bucket that leaks.
        Leaky = "leaky",
    }
}

choice! {
    /// What shares a limit.
    pub enum RateScope {
        /// Each session has its own.
        Session = "session",
        /// Sessions of one API key.
        Key = "key",
        /// Sessions of one account.
        Account = "account",
    }
}

choice! {
    /// What a limit counts.
    pub enum RateCounts {
        /// New orders, replaces and cancels.
        Orders = "orders",
        /// New orders and replaces: cancels are free of it, and nothing is kept for them.
        NewOrders = "new_orders",
        /// Every message, those of the session layer too.
        All = "all",
    }
}

choice! {
    /// What becomes of a command that would break a limit.
    pub enum RateAction {
        /// It waits.
        Hold = "hold",
        /// It is refused.
        Refuse = "refuse",
    }
}

choice! {
    /// What a venue's entries of a book are.
    pub enum BookBy {
        /// The total at a price.
        Levels = "levels",
        /// An order.
        Orders = "orders",
    }
}

choice! {
    /// MDUpdateType (265).
    pub enum MdUpdates {
        /// What changed.
        Incremental = "incremental",
        /// The whole, at each change.
        Full = "full",
        /// The venue does not know the field.
        None = "none",
    }
}

choice! {
    /// How trades are asked for.
    pub enum TradesBy {
        /// With the book.
        Together = "together",
        /// By a request of their own.
        Apart = "apart",
        /// The venue tells them unasked, and is told no entry types.
        Unasked = "unasked",
        /// Not at all.
        None = "none",
    }
}

choice! {
    /// Who answers the messages of an exchange's clients.
    pub enum FixApplication {
        /// The matching engine.
        Matching = "matching",
        /// Nobody: orders come back as they are.
        Echo = "echo",
    }
}
