//! Keys and certificates of all kinds, made here.

use openssl::asn1::Asn1Time;
use openssl::base64;
use openssl::bn::BigNum;
use openssl::dsa::Dsa;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::hash;
use openssl::nid::Nid;
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509Builder, X509Name};

use super::*;
use crate::{Dates, HashMethod, check_trust};

const DATA: &[u8] = b"the bytes of an image";

fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn dsa() -> PKey<Private> {
    PKey::from_dsa(Dsa::generate(2048).unwrap()).unwrap()
}

fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate for `subject`, valid for `days` from now.
fn certificate(
    subject: &str,
    key: &PKey<Private>,
    issuer: (&str, &PKey<Private>),
    days: i64,
    is_ca: bool,
) -> X509 {
    let name = |text: &str| {
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", text).unwrap();
        name.build()
    };
    let now = 1_000_000_000;
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name(subject)).unwrap();
    builder.set_issuer_name(&name(issuer.0)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(now).unwrap()).unwrap();
    let end = match days {
        days if days < 0 => Asn1Time::from_unix(now - days).unwrap(),
        days => Asn1Time::days_from_now(u32::try_from(days).unwrap()).unwrap(),
    };
    builder.set_not_after(&end).unwrap();
    if is_ca {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().key_cert_sign().build().unwrap()).unwrap();
    }
    builder.sign(issuer.1, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn self_signed(key: &PKey<Private>) -> X509 {
    certificate("signer", key, ("signer", key), 1, false)
}

fn sign(key: &PKey<Private>, method: HashMethod, salt: Option<RsaPssSaltlen>) -> Vec<u8> {
    let mut context = PkeyCtx::new(key).unwrap();
    context.sign_init().unwrap();
    context.set_signature_md(method.of_signature()).unwrap();
    if let Some(salt) = salt {
        context.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        context.set_rsa_pss_saltlen(salt).unwrap();
    }
    let mut signature = Vec::new();
    context.sign_to_vec(&hash(method.digest(), DATA).unwrap(), &mut signature).unwrap();
    signature
}

fn verifier(key: &PKey<Private>, kind: &str, method: &str, signature: &[u8]) -> Result<Verifier> {
    let signature = base64::encode_block(signature);
    let signed = Signed::read(|name| match name {
        "img_signature" => Some(signature.as_str()),
        "img_signature_hash_method" => Some(method),
        "img_signature_key_type" => Some(kind),
        _ => Some("certificate"),
    });
    Verifier::new(signed?.unwrap(), &self_signed(key))
}

#[test]
fn every_kind_of_key_verifies_what_it_signed_and_nothing_else() {
    let cases = [
        ("RSA-PSS", rsa(), true),
        ("DSA", dsa(), false),
        ("ECC_SECP384R1", ec(Nid::SECP384R1), false),
        ("ECC_SECP521R1", ec(Nid::SECP521R1), false),
        ("ECC_SECT571R1", ec(Nid::SECT571R1), false),
    ];
    for (kind, key, salted) in cases {
        for method in ["SHA-224", "SHA-256", "SHA-384", "SHA-512"] {
            let named = HashMethod::named(method).unwrap();
            let salt = salted.then_some(RsaPssSaltlen::MAXIMUM_LENGTH);
            let verifier = verifier(&key, kind, method, &sign(&key, named, salt)).unwrap();
            let digest = |data| hash(verifier.digest(), data).unwrap();
            assert!(verifier.check(&digest(DATA)).is_ok(), "{kind} {method}");
            let other = verifier.check(&digest(b"other bytes"));
            assert!(matches!(other, Err(Error::Mismatch)), "{kind} {method}");
        }
    }
}

#[test]
fn a_salt_that_is_not_the_longest_is_refused() {
    let key = rsa();
    let signature = sign(&key, HashMethod::Sha256, Some(RsaPssSaltlen::DIGEST_LENGTH));
    let verifier = verifier(&key, "RSA-PSS", "SHA-256", &signature).unwrap();
    let digest = hash(MessageDigest::sha256(), DATA).unwrap();
    assert!(matches!(verifier.check(&digest), Err(Error::Mismatch)));
}

#[test]
fn a_key_of_another_type_is_refused() {
    let refused = verifier(&ec(Nid::SECP384R1), "RSA-PSS", "SHA-256", b"x");
    assert!(matches!(refused, Err(Error::KeyMismatch("RSA-PSS"))));
}

#[test]
fn a_certificate_is_trusted_through_those_that_are() {
    let (root, middle, leaf) = (ec(Nid::SECP384R1), ec(Nid::SECP384R1), ec(Nid::SECP384R1));
    let root_cert = certificate("root", &root, ("root", &root), 1, true);
    let middle_cert = certificate("middle", &middle, ("root", &root), 1, true);
    let no_ca = certificate("middle", &middle, ("root", &root), 1, false);
    let leaf_cert = certificate("leaf", &leaf, ("middle", &middle), 1, false);
    let old = certificate("leaf", &leaf, ("middle", &middle), -1, false);
    let all = [root_cert.clone(), middle_cert.clone()];
    let cases: [(&X509, &[X509], Dates, bool); 7] = [
        (&leaf_cert, &all, Dates::Enforced, true),
        (&leaf_cert, &all[..1], Dates::Enforced, false),
        (&leaf_cert, &all[1..], Dates::Enforced, false),
        (&leaf_cert, &[], Dates::Enforced, false),
        (&leaf_cert, &[root_cert.clone(), no_ca], Dates::Enforced, false),
        (&old, &all, Dates::Enforced, false),
        (&old, &all, Dates::Ignored, true),
    ];
    for (number, (certificate, trusted, dates, good)) in cases.into_iter().enumerate() {
        assert_eq!(check_trust(certificate, trusted, dates).is_ok(), good, "case {number}");
    }
}
