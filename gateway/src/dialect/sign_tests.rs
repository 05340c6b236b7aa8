//! Signatures against vectors of the venues and of an implementation in another language.

use super::*;

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u
-----END PRIVATE KEY-----
";

fn fields(tags: &[u32]) -> Vec<Piece> {
    tags.iter().map(|tag| Piece::Field(*tag)).collect()
}

fn ed25519() -> Signature {
    Signature {
        pieces: fields(&[35, 49, 56, 34, 52]),
        join: Join::Soh,
        scheme: Scheme::Ed25519,
        secret_form: SecretForm::Pem,
        output: Output::Base64,
    }
}

fn example(piece: Piece) -> &'static [u8] {
    match piece {
        Piece::Field(35) => b"A",
        Piece::Field(49) => b"EXAMPLE",
        Piece::Field(56) => b"SPOT",
        Piece::Field(34) => b"1",
        Piece::Field(52) => b"20240627-11:17:25.223",
        _ => b"",
    }
}

/// The vector of "How to sign Logon" in the documentation of Binance's FIX API, with its key, which
/// is published for this.
#[test]
fn binance_official_vector() {
    let signer = Signer::new(ed25519(), &Secret::new(KEY)).unwrap();
    let expected = "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj\
                    73j8gCA==";
    assert_eq!(*signer.sign(example), expected);
}

#[test]
fn wrong_keys_are_refused_without_a_word_of_them() {
    let refused = |signature: Signature, secret: &str| {
        let error = Signer::new(signature, &Secret::new(secret)).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        error
    };
    assert_eq!(refused(ed25519(), "hunter2"), KeyError::Pem);
    let cut = KEY.replace("m89u", "");
    assert_eq!(refused(ed25519(), &cut), KeyError::Ed25519);
    let base64 =
        Signature { secret_form: SecretForm::Base64, scheme: Scheme::HmacSha256, ..ed25519() };
    assert_eq!(refused(base64.clone(), "not base64, hunter2!"), KeyError::Base64);
    assert_eq!(refused(base64, ""), KeyError::Base64);
    let signer = Signer::new(ed25519(), &Secret::new(KEY)).unwrap();
    assert!(!format!("{signer:?}").contains("IJEYW"));
}

#[test]
fn hexadecimal_and_joined_by_nothing() {
    // RFC 4231, test case 2.
    let signature = Signature {
        pieces: fields(&[58]),
        join: Join::None,
        scheme: Scheme::HmacSha256,
        secret_form: SecretForm::Text,
        output: Output::Hex,
    };
    let signer = Signer::new(signature, &Secret::new("Jefe")).unwrap();
    let text = signer.sign(|_| b"what do ya want for nothing?");
    assert_eq!(*text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
