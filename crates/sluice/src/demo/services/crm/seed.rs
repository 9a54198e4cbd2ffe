//! Fills the CRM's database, the same way each time.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::super::StartError;
use super::places::COUNTRIES;
use super::random::Random;

/// How many customers there are.
pub const CUSTOMERS: u32 = 3_000;

/// The month of the oldest change.
pub const FIRST_MONTH: &str = "2026-04";

/// The month of the newest change.
pub const LAST_MONTH: &str = "2026-09";

/// Any number; another one would give other customers.
const SEED: u64 = 20_260_914;

/// Marks the file as ours ("SLCR" in SQLite's application id) and as made by this version.
const APPLICATION: i32 = 0x534c_4352;
const VERSION: i32 = 1;

const HEALTH_NOTES_PERCENT: u64 = 7;

const SCHEMA: &str = "
    CREATE TABLE customers (
        id            TEXT PRIMARY KEY,
        name          TEXT NOT NULL,
        email         TEXT NOT NULL UNIQUE,
        city          TEXT NOT NULL,
        country       TEXT NOT NULL,   -- ISO 3166-1 alpha-2
        balance       TEXT NOT NULL,   -- decimal, two places, owed when negative
        tier          TEXT NOT NULL,   -- basic, plus or premium
        last_position TEXT NOT NULL,   -- latitude,longitude in degrees, five places: about a metre
        health_note   TEXT,
        updated_at    TEXT NOT NULL    -- UTC
    ) STRICT;
    CREATE INDEX customers_by_change ON customers (updated_at);
";

/// Hosts under a name that is reserved for examples: no mail reaches anybody.
const MAIL_HOSTS: [&str; 5] = ["mail.example", "fastpost.example", "brief.example", "inbox.example", "home.example"];

const TIERS: [&str; 6] = ["basic", "basic", "basic", "plus", "plus", "premium"];

const HEALTH_NOTES: [&str; 20] = [
    "Type 1 diabetes; insulin has to stay refrigerated, deliver before noon",
    "Severe peanut allergy, carries an adrenaline pen",
    "On dialysis Monday, Wednesday and Friday, call after 15:00",
    "Pregnant, due in November; asked for no heavy parcels",
    "Recovering from hip replacement, needs time to reach the door",
    "Chemotherapy until October, a neighbour may sign for her",
    "Epilepsy; partner is the emergency contact",
    "Hearing impaired, write instead of calling",
    "Asthma, moved her subscription to the fragrance-free line",
    "Uses a wheelchair, ramp entrance at the back",
    "Coeliac disease, refund granted for the wrong batch",
    "Depression, on sick leave since June; payment plan agreed",
    "Parkinson's disease, daughter manages the account",
    "Warfarin; asked pharmacist about interactions before ordering",
    "Multiple sclerosis, fatigue in the afternoon",
    "Visually impaired, needs letters in large print",
    "HIV positive, asked for neutral packaging",
    "Pacemaker fitted in May, no magnetic closures",
    "High blood pressure, reported dizziness after the new dose",
    "Early dementia, confirm every order with his son",
];

struct Customer {
    id: String,
    name: String,
    email: String,
    city: &'static str,
    country: &'static str,
    balance: String,
    tier: &'static str,
    last_position: String,
    health_note: Option<&'static str>,
    updated_at: String,
}

/// Makes the database at `path`, or finds there one that it made before.
pub(super) fn make_sure_of(path: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::Database { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(failed)?;
    let found = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = match (found("application_id"), found("user_version")) {
        (Ok(application), Ok(version)) => (application, version),
        (Err(error), _) | (_, Err(error)) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(StartError::ForeignDatabase { path: path.to_owned() });
        }
        (Err(error), _) | (_, Err(error)) => return Err(failed(error)),
    };
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    match (application, version, tables) {
        (APPLICATION, VERSION, _) => Ok(()),
        (0, 0, 0) => fill(&mut connection).map_err(failed),
        _ => Err(StartError::ForeignDatabase { path: path.to_owned() }),
    }
}

fn fill(connection: &mut Connection) -> rusqlite::Result<()> {
    // In one transaction: a demo killed in the middle leaves an empty file, not half the customers.
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    insert(&transaction)?;
    transaction.commit()
}

fn insert(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut statement =
        transaction.prepare("INSERT INTO customers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    for customer in customers() {
        statement.execute(params![
            customer.id,
            customer.name,
            customer.email,
            customer.city,
            customer.country,
            customer.balance,
            customer.tier,
            customer.last_position,
            customer.health_note,
            customer.updated_at,
        ])?;
    }
    Ok(())
}

fn customers() -> Vec<Customer> {
    let mut random = Random::new(SEED);
    let mut namesakes = BTreeMap::new();
    (0..CUSTOMERS).map(|number| customer(number, &mut random, &mut namesakes)).collect()
}

fn customer(number: u32, random: &mut Random, namesakes: &mut BTreeMap<String, u32>) -> Customer {
    let country = random.pick(&COUNTRIES);
    let (given, family) = (random.pick(country.given), random.pick(country.family));
    let city = random.pick(country.cities);
    let tier = random.pick(&TIERS);
    let has_note = random.below(100) < HEALTH_NOTES_PERCENT;
    let note = random.pick(&HEALTH_NOTES);
    Customer {
        id: format!("C-{}", 10_001 + number),
        name: format!("{given} {family}"),
        email: email(given, family, random, namesakes),
        city: city.name,
        country: country.code,
        balance: balance(tier, random),
        tier,
        last_position: format!(
            "{},{}",
            degrees(city.lat_e5 + random.between(-2_800, 2_800)),
            degrees(city.lon_e5 + random.between(-3_900, 3_900)),
        ),
        health_note: has_note.then_some(note),
        updated_at: changed(random),
    }
}

fn email(given: &str, family: &str, random: &mut Random, namesakes: &mut BTreeMap<String, u32>) -> String {
    let local = format!("{}.{}", in_ascii(given), in_ascii(family));
    let host = random.pick(&MAIL_HOSTS);
    let earlier = namesakes.entry(local.clone()).or_default();
    *earlier += 1;
    match *earlier {
        1 => format!("{local}@{host}"),
        number => format!("{local}{number}@{host}"),
    }
}

/// A name as people write it in an address.
fn in_ascii(name: &str) -> String {
    let mut ascii = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' => ascii.push_str("ae"),
            'ö' => ascii.push_str("oe"),
            'ü' => ascii.push_str("ue"),
            'ß' => ascii.push_str("ss"),
            'á' | 'å' | 'à' | 'ą' => ascii.push('a'),
            'ć' => ascii.push('c'),
            'é' | 'è' | 'ê' | 'ę' => ascii.push('e'),
            'í' | 'ı' => ascii.push('i'),
            'ł' => ascii.push('l'),
            'ñ' | 'ń' => ascii.push('n'),
            'ó' | 'ò' => ascii.push('o'),
            'ş' | 'ś' => ascii.push('s'),
            'ú' => ascii.push('u'),
            other if other.is_ascii_alphanumeric() => ascii.push(other),
            _ => {}
        }
    }
    ascii
}

/// Most owe nothing or a little; premium customers keep more; one in eight is behind.
fn balance(tier: &str, random: &mut Random) -> String {
    let usual = match tier {
        "premium" => random.between(40_000, 1_850_000),
        "plus" => random.between(2_500, 320_000),
        _ => random.between(0, 48_000),
    };
    let cents = if random.below(8) == 0 { -usual / 4 } else { usual };
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

fn degrees(e5: i64) -> String {
    let sign = if e5 < 0 { "-" } else { "" };
    let e5 = e5.unsigned_abs();
    format!("{sign}{}.{:05}", e5 / 100_000, e5 % 100_000)
}

fn changed(random: &mut Random) -> String {
    let month = random.between(4, 9);
    let day = random.between(1, 30);
    let (hour, minute, second) = (random.between(5, 21), random.between(0, 59), random.between(0, 59));
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{COUNTRIES, CUSTOMERS, Customer, FIRST_MONTH, LAST_MONTH, customers, degrees, in_ascii};

    /// A line of text per customer, to compare and to print.
    fn line(customer: &Customer) -> String {
        let Customer { id, name, email, city, country, .. } = customer;
        let Customer { balance, tier, last_position, updated_at, .. } = customer;
        format!("{id} {name} {email} {city} {country} {balance} {tier} {last_position} {updated_at}")
    }

    #[test]
    fn the_same_customers_are_made_on_every_machine() {
        let made: Vec<String> = customers().iter().step_by(999).map(line).collect();
        insta::assert_snapshot!(made.join("\n"), @r#"
        C-10001 Lorenzo Russo lorenzo.russo@home.example Bologna IT 2702.32 plus 44.52141,11.31654 2026-08-13T15:41:26Z
        C-11000 Élodie Durand elodie.durand@inbox.example Bordeaux FR 265.01 basic 44.83958,-0.60165 2026-07-20T10:13:21Z
        C-11999 Nathan Benali nathan.benali2@fastpost.example Paris FR 2997.78 plus 48.86486,2.34085 2026-07-01T07:27:43Z
        C-12998 Hugo Muñoz hugo.munoz4@fastpost.example Valladolid ES -3563.68 premium 41.66572,-4.71735 2026-06-04T10:41:18Z
        "#);
    }

    #[test]
    fn ids_and_addresses_are_unique_and_addresses_are_reserved_ones() {
        let made = customers();
        let ids: BTreeSet<&str> = made.iter().map(|customer| customer.id.as_str()).collect();
        let emails: BTreeSet<&str> = made.iter().map(|customer| customer.email.as_str()).collect();
        assert_eq!(ids.len(), CUSTOMERS as usize);
        assert_eq!(emails.len(), CUSTOMERS as usize);
        assert!(emails.iter().all(|email| email.is_ascii() && email.ends_with(".example")));
    }

    #[test]
    fn about_seven_in_a_hundred_have_a_health_note() {
        let notes = customers().iter().filter(|customer| customer.health_note.is_some()).count();
        assert!((180..=240).contains(&notes), "{notes}");
    }

    #[test]
    fn the_months_are_the_ones_promised() {
        let months: BTreeSet<String> =
            customers().iter().map(|customer| customer.updated_at.chars().take(7).collect()).collect();
        assert_eq!(months.first().map(String::as_str), Some(FIRST_MONTH));
        assert_eq!(months.last().map(String::as_str), Some(LAST_MONTH));
    }

    #[test]
    fn every_letter_of_every_name_has_a_plain_form() {
        for country in COUNTRIES {
            for name in country.given.iter().chain(country.family) {
                let letters = name.chars().filter(|letter| letter.is_alphabetic()).count();
                assert!(in_ascii(name).len() >= letters, "{name} became {}", in_ascii(name));
            }
        }
    }

    #[test]
    fn degrees_keep_sign_and_five_places() {
        assert_eq!(degrees(-57_918), "-0.57918");
        assert_eq!(degrees(1_340_005), "13.40005");
    }
}
