//! The sections of a venue's profile: how it speaks FIX, as its documentation says.
//!
//! This is the only list of their keys. It must hold nothing but descriptions.

use super::choice::Environment;
use super::fix_choices::{
    FixVersion, IdField, JoinWord, NewsAction, NonceWord, OpenOrdersBy, OrderIdForm, OutputWord,
    RateAction, RateCounts, RateScope, ResetRule, SchemeWord, SecretWord, TimeDigits,
    ValidationWord, WindowWord,
};
use super::fix_words::{
    CancelOnDisconnect, FixField, LogonText, MaybeChar, ReasonCode, SessionHoursText, SignPiece,
};
use super::key::section;
use super::special::Endpoint;
use market::Nanos;

section! {
    /// A venue's profile. Its sections may also stand in the configuration of a run itself.
    pub struct ProfileSection = "profile" {
        /// The venue's name.
        name: String = "plain-fix", [1, 64];
        /// Where it is documented.
        documentation: Option<String> => "https://docs.example.com/fix", [1, 200];
        /// What money stands behind its orders.
        #[danger = "production sends real orders: `run` wants --production then"]
        environment: Environment = "demo";
    }
}

section! {
    /// The venue's session. Its address, CompIDs and heartbeat hold where `[gateway]` gives none.
    pub struct SessionSection = "session" {
        /// Version of FIX.
        version: FixVersion = "FIX.4.4";
        /// The venue's order entry port.
        address: Option<Endpoint> => "fix.example.com:9000", [1, 65_535];
        /// SenderCompID (49), where the venue gives everyone the same.
        sender_comp_id: Option<String> => "CLIENT", [1, 64];
        /// Longest SenderCompID (49).
        sender_comp_id_max: usize = 64, [1, 64];
        /// SenderCompID (49) may hold letters, digits, `-` and `_` only.
        sender_comp_id_plain: bool = false;
        /// A SenderCompID (49) logs on once, whatever the port: each session needs one of its own.
        sender_comp_id_once: bool = false;
        /// TargetCompID (56).
        target_comp_id: Option<String> => "VENUE", [1, 64];
        /// Constant fields of every header of ours, such as SenderSubID (50).
        header: Vec<FixField> = [] => ["50=DESK"];
        /// Fractional digits of the times we send.
        time_digits: TimeDigits = "ms";
        /// HeartBtInt (108).
        heartbeat_s: Option<u32> => 30, [1, 3_600];
        /// Shortest HeartBtInt (108) that the venue takes.
        heartbeat_min_s: u32 = 1, [1, 3_600];
        /// Longest HeartBtInt (108) that the venue takes.
        heartbeat_max_s: u32 = 3_600, [1, 3_600];
        /// Whether a Logon may begin sequence numbers at 1 (141=Y).
        reset_at_logon: ResetRule = "allowed";
        /// Most messages that one ResendRequest may ask for; all of a gap when absent.
        resend_chunk: Option<u32> => 1_000, [1, 1_000_000];
        /// NextExpectedMsgSeqNum (789) in the Logon.
        next_expected: bool = false;
        /// How far its messages are held against the dictionary; `none` costs nothing.
        validation: ValidationWord = "none";
        /// Whether our orders are canceled when the session ends, or how that is asked for.
        #[danger = "with `none`, a crash leaves orders standing"]
        cancel_on_disconnect: CancelOnDisconnect = "always" => "8013=Y";
        /// When a session may be logged on, and so where its days begin: `24x7`, each day or each week,
        /// in a time zone. A beginning that is also the end is open throughout, with a new day there.
        hours: SessionHoursText = "24x7" => "Sun 17:00 to Fri 16:55 America/New_York";
        /// How long before the end of a day of `hours`, where a Logout comes with it, everything is
        /// canceled and no order sent any more; and how long at most a Logout for a number or for News
        /// waits for that. 0 leaves it to the venue.
        #[danger = "with 0, a venue that does not cancel by itself keeps our orders over the close"]
        cancel_ahead_s: Nanos = 5, [0, 600];
        /// Sequence numbers begin at 1 with each session day of `hours`.
        reset_each_day: bool = false;
        /// And when one side's MsgSeqNum has come so far.
        reset_at_number: Option<u64> => 1_000_000, [1_000, 4_294_967_295];
        /// What News (B) leads to.
        news: NewsAction = "ignore";
    }
}

section! {
    /// The Logon beyond FIX's own fields, and how it is signed.
    pub struct LogonSection = "logon" {
        /// Fields in order; {key} and {passphrase} come from the file of `[gateway]` credentials.
        /// RawDataLength (95) is put before RawData (96).
        fields: Vec<LogonText> = [] => ["553={key}", "96={signature}"];
        /// What {nonce} is: each is greater than the last.
        nonce: Option<NonceWord> => "ms";
        /// What {signature} is made with; no signature when absent.
        scheme: Option<SchemeWord> => "hmac-sha256";
        /// What is signed: values of fields by their tags, and the nonce, in order.
        sign: Vec<SignPiece> = [] => ["52", "35", "34", "49", "56"];
        /// What stands between the pieces; `fields` writes each as tag=value and SOH.
        join: JoinWord = "none";
        /// In which form the venue gives the secret.
        secret: SecretWord = "text";
        /// In which form it wants the signature.
        output: OutputWord = "base64";
        /// Tags of the Logon that are secret beside those that always are (89, 96, 554, 925, 1402,
        /// 1404, and where {passphrase} or {signature} stands).
        secret_tags: Vec<u32> = [] => [58], [1, 9_999_999];
    }
}

section! {
    /// Orders and what is said of them.
    pub struct OrdersSection = "orders" {
        /// Form of ClOrdID (11).
        order_ids: OrderIdForm = "decimal";
        /// Where ExecutionReports (8) hold the id that we gave: ClOrdID (11) or OrigClOrdID (41).
        our_id: IdField = "11";
        /// Where cancels name the order that they are about.
        target_id: IdField = "41";
        /// What identifies an execution: ExecID (17), TradeID (1003), or a field of the venue's own.
        exec_id_tag: u32 = 17, [1, 9_999_999];
        /// Constant fields of every order, such as self-trade prevention or the unit of quantities.
        fields: Vec<FixField> = [] => ["7928=D"];
        /// TransactTime (60) in requests.
        transact_time: bool = true;
        /// ExecInst (18) of an order that must not take liquidity.
        post_only: String = "6", [1, 8];
        /// TimeInForce (59) also stands in a post-only order.
        post_only_time_in_force: bool = true;
        /// TimeInForce (59) of an order that rests: 0 until the end of the day, 1 until canceled.
        rest: MaybeChar = "0";
        /// TimeInForce (59) of an order that trades at once or not at all.
        immediate: MaybeChar = "3";
        /// Orders can be replaced (G); else they are canceled and sent anew.
        replace: bool = true;
        /// MassCancelRequestType (530) of all our orders. FIX.4.2 has no mass cancel.
        mass_cancel_all: MaybeChar = "7";
        /// MassCancelRequestType (530) of one instrument.
        mass_cancel_one: MaybeChar = "1";
        /// How open orders are made sure of after a logon; `cancel` cancels all there are.
        open_orders: OpenOrdersBy = "mass_status";
        /// What values of OrdRejReason (103) or of the venue's own fields mean.
        reject_codes: Vec<ReasonCode> = [] => ["25016:-1015=rate"];
    }
}

section! {
    /// A limit of the venue.
    pub struct RateSection = "rate" repeats {
        /// What the limit is called in reports.
        name: String => "messages", [1, 32];
        /// How it counts time; `sliding` is right where the documentation does not say.
        /// `fixed` windows begin with a message, `fixed_clock` ones by the clock; `leaky` is a bucket.
        window: WindowWord = "sliding";
        /// Most within the window.
        #[danger = "venues disconnect or ban sessions that send more"]
        count: u32 => 100, [1, 1_000_000];
        /// Length of the window.
        window_ms: Nanos => 1_000, [1, 86_400_000];
        /// What shares it.
        scope: RateScope = "session";
        /// What it counts.
        counts: RateCounts = "all";
        /// Whether what would break it waits or is refused.
        action: RateAction = "refuse";
        /// Share of it, in hundredths, that new orders and replaces leave to cancels.
        cancel_reserve_percent: u32 = 20, [0, 90];
    }
}
