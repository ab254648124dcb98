//! The names of algorithms.

use openssl::hash::MessageDigest;
use openssl::md::{Md, MdRef};
use openssl::pkey::Id;

use crate::{Error, Result};

/// How the bytes of an image are digested before they are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashMethod {
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

const HASH_METHODS: &[(&str, HashMethod)] = &[
    ("SHA-224", HashMethod::Sha224),
    ("SHA-256", HashMethod::Sha256),
    ("SHA-384", HashMethod::Sha384),
    ("SHA-512", HashMethod::Sha512),
];

impl HashMethod {
    /// The method of this name. Errors: `HashMethod`.
    pub fn named(name: &str) -> Result<Self> {
        find(HASH_METHODS, name).ok_or_else(|| Error::HashMethod(name.to_owned()))
    }

    /// For digesting.
    pub fn digest(self) -> MessageDigest {
        match self {
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    /// For signatures.
    pub(crate) fn of_signature(self) -> &'static MdRef {
        match self {
            Self::Sha224 => Md::sha224(),
            Self::Sha256 => Md::sha256(),
            Self::Sha384 => Md::sha384(),
            Self::Sha512 => Md::sha512(),
        }
    }
}

/// With what kind of key an image is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA with the padding PSS.
    RsaPss,
    /// DSA.
    Dsa,
    /// ECDSA; the name of its curve in the property.
    Ecc(&'static str),
}

const KEY_TYPES: &[(&str, KeyType)] = &[
    ("RSA-PSS", KeyType::RsaPss),
    ("DSA", KeyType::Dsa),
    ("ECC_SECT571K1", KeyType::Ecc("ECC_SECT571K1")),
    ("ECC_SECT409K1", KeyType::Ecc("ECC_SECT409K1")),
    ("ECC_SECT571R1", KeyType::Ecc("ECC_SECT571R1")),
    ("ECC_SECT409R1", KeyType::Ecc("ECC_SECT409R1")),
    ("ECC_SECP521R1", KeyType::Ecc("ECC_SECP521R1")),
    ("ECC_SECP384R1", KeyType::Ecc("ECC_SECP384R1")),
];

impl KeyType {
    /// The type of this name. Errors: `KeyType`.
    pub fn named(name: &str) -> Result<Self> {
        find(KEY_TYPES, name).ok_or_else(|| Error::KeyType(name.to_owned()))
    }

    /// Its name in the property.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPss => "RSA-PSS",
            Self::Dsa => "DSA",
            Self::Ecc(name) => name,
        }
    }

    /// What OpenSSL calls such keys. As in cursive, any curve fits any name of one.
    pub(crate) fn id(self) -> Id {
        match self {
            Self::RsaPss => Id::RSA,
            Self::Dsa => Id::DSA,
            Self::Ecc(_) => Id::EC,
        }
    }
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
