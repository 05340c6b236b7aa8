//! Field numbers and message types by their field-standard names (FIX.4.4 Volume 6).
//!
//! Only what this gateway reads or writes stands here. Numbers above 20000 are our own.

macro_rules! tags {
    ($($name:ident = $number:literal),* $(,)?) => {
        $(#[doc = concat!("Tag ", $number, ".")] pub const $name: u32 = $number;)*
    };
}

tags! {
    ACCOUNT = 1,
    AVG_PX = 6,
    BEGIN_SEQ_NO = 7,
    BEGIN_STRING = 8,
    BODY_LENGTH = 9,
    CHECK_SUM = 10,
    CL_ORD_ID = 11,
    COMMISSION = 12,
    COMM_TYPE = 13,
    CUM_QTY = 14,
    END_SEQ_NO = 16,
    EXEC_ID = 17,
    EXEC_INST = 18,
    EXEC_REF_ID = 19,
    EXEC_TRANS_TYPE = 20,
    LAST_PX = 31,
    LAST_QTY = 32,
    MSG_SEQ_NUM = 34,
    MSG_TYPE = 35,
    NEW_SEQ_NO = 36,
    ORDER_ID = 37,
    ORDER_QTY = 38,
    ORD_STATUS = 39,
    ORD_TYPE = 40,
    ORIG_CL_ORD_ID = 41,
    POSS_DUP_FLAG = 43,
    PRICE = 44,
    REF_SEQ_NUM = 45,
    SENDER_COMP_ID = 49,
    SENDER_SUB_ID = 50,
    SENDING_TIME = 52,
    SIDE = 54,
    SYMBOL = 55,
    TARGET_COMP_ID = 56,
    TEXT = 58,
    TIME_IN_FORCE = 59,
    TRANSACT_TIME = 60,
    RPT_SEQ = 83,
    RAW_DATA_LENGTH = 95,
    RAW_DATA = 96,
    POSS_RESEND = 97,
    ENCRYPT_METHOD = 98,
    CXL_REJ_REASON = 102,
    ORD_REJ_REASON = 103,
    HEART_BT_INT = 108,
    TEST_REQ_ID = 112,
    ON_BEHALF_OF_COMP_ID = 115,
    ON_BEHALF_OF_SUB_ID = 116,
    ORIG_SENDING_TIME = 122,
    GAP_FILL_FLAG = 123,
    DELIVER_TO_COMP_ID = 128,
    DELIVER_TO_SUB_ID = 129,
    RESET_SEQ_NUM_FLAG = 141,
    ON_BEHALF_OF_LOCATION_ID = 144,
    DELIVER_TO_LOCATION_ID = 145,
    NO_RELATED_SYM = 146,
    HEADLINE = 148,
    EXEC_TYPE = 150,
    LEAVES_QTY = 151,
    MD_REQ_ID = 262,
    SUBSCRIPTION_REQUEST_TYPE = 263,
    MARKET_DEPTH = 264,
    MD_UPDATE_TYPE = 265,
    AGGREGATED_BOOK = 266,
    NO_MD_ENTRY_TYPES = 267,
    NO_MD_ENTRIES = 268,
    MD_ENTRY_TYPE = 269,
    MD_ENTRY_PX = 270,
    MD_ENTRY_SIZE = 271,
    MD_ENTRY_DATE = 272,
    MD_ENTRY_TIME = 273,
    MD_ENTRY_ID = 278,
    MD_UPDATE_ACTION = 279,
    MD_ENTRY_REF_ID = 280,
    MD_REQ_REJ_REASON = 281,
    SECURITY_REQ_ID = 320,
    LAST_MSG_SEQ_NUM_PROCESSED = 369,
    REF_TAG_ID = 371,
    REF_MSG_TYPE = 372,
    SESSION_REJECT_REASON = 373,
    BUSINESS_REJECT_REF_ID = 379,
    BUSINESS_REJECT_REASON = 380,
    CXL_REJ_RESPONSE_TO = 434,
    MASS_CANCEL_REQUEST_TYPE = 530,
    MASS_CANCEL_RESPONSE = 531,
    MASS_CANCEL_REJECT_REASON = 532,
    NO_AFFECTED_ORDERS = 534,
    SECURITY_LIST_REQUEST_TYPE = 559,
    SECURITY_REQUEST_RESULT = 560,
    MIN_TRADE_VOL = 562,
    MASS_STATUS_REQ_ID = 584,
    MASS_STATUS_REQ_TYPE = 585,
    NEXT_EXPECTED_MSG_SEQ_NUM = 789,
    LAST_LIQUIDITY_IND = 851,
    LAST_FRAGMENT = 893,
    TOT_NUM_REPORTS = 911,
    LAST_RPT_REQUESTED = 912,
    MIN_PRICE_INCREMENT = 969,
    TRADE_ID = 1003,
    DEFAULT_APPL_VER_ID = 1137,
    MASS_ACTION_REPORT_ID = 1369,
    AGGRESSOR_SIDE = 2446,
    NEXT_PACKET = 20001,
    REPORTS_CONSUMED = 20002,
    REASON = 20003,
}

/// Message types, the value of tag 35.
pub mod msg {
    macro_rules! types {
        ($($name:ident = $text:literal),* $(,)?) => {
            $(#[doc = concat!("35=", $text, ".")] pub const $name: &[u8] = $text.as_bytes();)*
        };
    }
    types! {
        HEARTBEAT = "0",
        TEST_REQUEST = "1",
        RESEND_REQUEST = "2",
        REJECT = "3",
        SEQUENCE_RESET = "4",
        LOGOUT = "5",
        EXECUTION_REPORT = "8",
        ORDER_CANCEL_REJECT = "9",
        LOGON = "A",
        NEWS = "B",
        EMAIL = "C",
        NEW_ORDER_SINGLE = "D",
        ORDER_CANCEL_REQUEST = "F",
        ORDER_CANCEL_REPLACE_REQUEST = "G",
        ORDER_STATUS_REQUEST = "H",
        MARKET_DATA_REQUEST = "V",
        MARKET_DATA_SNAPSHOT = "W",
        MARKET_DATA_INCREMENTAL = "X",
        MARKET_DATA_REQUEST_REJECT = "Y",
        SECURITY_DEFINITION = "d",
        BUSINESS_MESSAGE_REJECT = "j",
        ORDER_MASS_CANCEL_REQUEST = "q",
        ORDER_MASS_CANCEL_REPORT = "r",
        SECURITY_LIST_REQUEST = "x",
        SECURITY_LIST = "y",
        ORDER_MASS_STATUS_REQUEST = "AF",
        MARK = "UM",
    }
}

/// The data field that a length field announces, whose value may hold any byte, SOH included. Every
/// pair of the dictionaries in [`crate::spec`]; most data fields have the tag after their length's.
#[must_use]
pub const fn data_field_of(length_tag: u32) -> Option<u32> {
    Some(match length_tag {
        90 | 95 | 212 | 348 | 350 | 352 | 354 | 356 | 358 | 360 | 362 | 364 | 445 | 618 | 621
        | 1184 | 1277 | 1280 | 1282 | 1397 | 1401 | 1403 | 1468 | 1578 | 1620 | 1664 | 1733
        | 1871 | 1874 | 2072 | 2074 | 2111 | 2179 | 2287 | 2351 | 2481 | 2637 | 2651 | 2665
        | 2715 | 2718 | 2721 | 2797 | 40004 | 40008 | 40978 | 40980 | 40982 | 40984 | 40986
        | 40988 | 41083 | 41101 | 41107 | 41256 | 41320 | 41324 | 41458 | 41476 | 41482 | 41653
        | 41710 | 41806 | 41811 | 41873 | 41969 | 42025 | 42171 | 42451 | 42652 | 42947 => {
            length_tag + 1
        }
        2372 | 2494 | 2522 | 2802 | 2809 | 2815 => length_tag - 1,
        93 => 89,       // Signature
        1525 => 1527,   // EncodedDocumentationText
        1678 => 1697,   // EncodedOptionExpirationDesc
        43109 => 42684, // PaymentStreamFormula
        43110 => 42486, // LegPaymentStreamFormula
        43111 => 42982, // UnderlyingPaymentStreamFormula
        _ => return None,
    })
}

/// What the field index must know of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// Of the body or the trailer.
    Body,
    /// Of the standard header.
    Header,
    /// A length that announces a data field, in header or body.
    Length,
}

/// The class of every tag below a limit beyond which only lengths are not of the body.
static CLASSES: [Class; 2_816] = {
    let mut classes = [Class::Body; 2_816];
    let mut tag = 0;
    while tag < classes.len() {
        if data_field_of(tag as u32).is_some() {
            classes[tag] = Class::Length;
        } else if is_header(tag as u32) {
            classes[tag] = Class::Header;
        }
        tag += 1;
    }
    classes
};

/// The class of a tag; without a branch on its number for those in common use.
#[inline]
pub(super) fn class(tag: u32) -> Class {
    match CLASSES.get(tag as usize) {
        Some(class) => *class,
        None if data_field_of(tag).is_some() => Class::Length,
        None => Class::Body,
    }
}

/// The same of a tag of at most three digits.
#[inline]
pub(super) fn class_of_short(tag: u32) -> Class {
    CLASSES[(tag % 1_024) as usize]
}

/// True for fields of the standard header of any version, which must stand before every other field.
#[must_use]
pub const fn is_header(tag: u32) -> bool {
    matches!(
        tag,
        8 | 9 | 34 | 35 | 43 | 49 | 50 | 52 | 56 | 57 | 90 | 91 | 97 | 115 | 116 | 122 | 128 | 129
            | 142..=145 | 212 | 213 | 347 | 369 | 370 | 627..=630 | 1128 | 1129 | 1156
    )
}

/// True for fields of the standard trailer of any version, which stand behind every other field.
#[must_use]
pub const fn is_trailer(tag: u32) -> bool {
    matches!(tag, 10 | 89 | 93)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_every_tag_that_is_not_of_the_body() {
        for tag in 0..100_000 {
            let expected = match (data_field_of(tag), is_header(tag)) {
                (Some(_), _) => Class::Length,
                (None, true) => Class::Header,
                (None, false) => Class::Body,
            };
            assert_eq!(class(tag), expected, "tag {tag}");
            assert!(tag > 999 || class_of_short(tag) == expected, "tag {tag}");
        }
    }
}
