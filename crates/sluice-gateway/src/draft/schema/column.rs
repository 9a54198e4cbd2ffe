//! What a column probably holds, from its name.

use crate::draft::guess::words;

/// Kinds of data that names of columns tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Money, and what can be paid with or to.
    Financial,
    /// Of somebody's body.
    Health,
    /// Where somebody or something is.
    Location,
    /// Names a person, or leads back to one.
    Pii,
}

/// What is thought of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Of this class, for this word of its name.
    Of(Class, String),
    /// Nobody should read it.
    Secret,
    /// Its name tells nothing.
    Unknown,
}

const SECRET: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "salt",
    "cvv",
    "cvc",
    "pin",
    "otp",
    "mfa",
    "totp",
    "credential",
    "credentials",
    "privatekey",
    "signature",
];
const HEALTH: &[&str] = &[
    "health",
    "diagnosis",
    "diagnoses",
    "icd",
    "patient",
    "allergy",
    "allergies",
    "medication",
    "medications",
    "disease",
    "symptom",
    "symptoms",
    "treatment",
    "prescription",
    "blood",
    "disability",
    "vaccination",
    "insurance",
    "weight",
    "height",
];
const FINANCIAL: &[&str] = &[
    "iban", "bic", "swift", "account", "card", "salary", "wage", "wages", "income", "balance", "amount", "price",
    "total", "cost", "invoice", "payment", "revenue", "credit", "debit", "tax", "vat", "bonus", "budget", "fee",
    "discount", "currency",
];
const LOCATION: &[&str] =
    &["lat", "latitude", "lon", "lng", "longitude", "location", "position", "geo", "coordinates", "geom", "place"];
const PII: &[&str] = &[
    "name",
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "email",
    "mail",
    "phone",
    "mobile",
    "telephone",
    "fax",
    "birth",
    "birthday",
    "birthdate",
    "dob",
    "gender",
    "sex",
    "nationality",
    "username",
    "login",
    "address",
    "street",
    "city",
    "zip",
    "postcode",
    "postal",
    "contact",
    "person",
    "passport",
    "ssn",
    "nino",
    "ip",
    "photo",
    "avatar",
    "age",
    "religion",
    "ethnicity",
    "customer",
    "employee",
    "user",
    "owner",
    "author",
    "recipient",
    "sender",
];

impl Class {
    /// The category's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Financial => "financial",
            Self::Health => "health",
            Self::Location => "location",
            Self::Pii => "pii",
        }
    }

    /// For people.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Financial => "money, and what can be paid with or to",
            Self::Health => "of somebody's body and health",
            Self::Location => "where somebody or something is",
            Self::Pii => "names a person, or leads back to one",
        }
    }
}

impl Meaning {
    /// From a column's name. A word that tells a secret tells more than all others.
    #[must_use]
    pub fn of(column: &str) -> Self {
        let words = words(column);
        let pairs: Vec<String> = words.windows(2).map(|pair| pair.concat()).collect();
        let has = |list: &[&str]| words.iter().chain(&pairs).find(|word| list.contains(&word.as_str())).cloned();
        if has(SECRET).is_some() || pairs.iter().any(|pair| pair == "apikey" || pair == "passwordhash") {
            return Self::Secret;
        }
        let classes =
            [(HEALTH, Class::Health), (FINANCIAL, Class::Financial), (LOCATION, Class::Location), (PII, Class::Pii)];
        let found = classes.into_iter().find_map(|(list, class)| Some(Self::Of(class, has(list)?)));
        found.unwrap_or(Self::Unknown)
    }

    /// The class, if it is of one.
    #[must_use]
    pub const fn class(&self) -> Option<Class> {
        match self {
            Self::Of(class, _) => Some(*class),
            Self::Secret | Self::Unknown => None,
        }
    }

    /// From what it was guessed.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Of(_, word) => format!("`{word}` in its name"),
            Self::Secret => "it looks like a secret".to_owned(),
            Self::Unknown => "its name tells nothing".to_owned(),
        }
    }
}
