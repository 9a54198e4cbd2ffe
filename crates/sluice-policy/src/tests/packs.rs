//! Every pack does what its tests say, beside the default policies and beside every other pack.

use sluice_core::text::Text;

use super::*;
use crate::cases::{Suite, untested};
use crate::{DEFAULT_SOURCES, DEFAULT_TESTS, PACKS, Pack};

fn beside_the_default(packs: &[Pack]) -> Bundle {
    let texts = packs.iter().map(|pack| (pack.name, pack.policies));
    let sources: Vec<(&str, &str)> = DEFAULT_SOURCES.into_iter().chain(texts).collect();
    Bundle::load(&sources).unwrap_or_else(|flaws| panic!("{flaws:#?}"))
}

fn suite(name: &str, text: &str, bundle: &Bundle) -> Suite {
    Suite::read(&Text::new(name, text), bundle).unwrap_or_else(|flaws| panic!("{name}: {flaws:#?}"))
}

#[test]
fn every_pack_passes_its_tests_and_each_of_its_policies_decides_one() {
    for pack in PACKS {
        let bundle = beside_the_default(&[pack]);
        let cases = suite(pack.name, pack.tests, &bundle).cases;
        let judged: Vec<_> = cases.iter().map(|case| (case, case.judge(&bundle))).collect();
        for (case, judged) in &judged {
            let told = told(&judged.answer);
            assert!(judged.misses.is_empty(), "{}: {}: {:?}\n{told}", pack.name, case.name, judged.misses);
        }
        let own = Bundle::load(&[(pack.name, pack.policies)]).unwrap();
        let untested = untested(&own, judged.iter().map(|(_, judged)| &judged.answer));
        assert_eq!(untested, [], "{}", pack.name);
    }
}

#[test]
fn every_policy_of_a_pack_stops_what_the_default_policies_permit_or_ask_less_for() {
    let default = default_bundle();
    for pack in PACKS {
        let bundle = beside_the_default(&[pack]);
        let cases = suite(pack.name, pack.tests, &bundle).cases;
        let stopped = |case: &&crate::cases::Case| {
            case.judge(&default).answer.decision.is_permit() && !case.judge(&bundle).answer.decision.is_permit()
        };
        let by: BTreeSet<Name> = cases.iter().filter(stopped).flat_map(|case| case.expect.by.clone()).collect();
        let own = Bundle::load(&[(pack.name, pack.policies)]).unwrap();
        let ids: BTreeSet<Name> = own.policies().map(|info| info.id.0.clone()).collect();
        assert_eq!(by, ids, "{}: a policy that stops nothing new is no policy", pack.name);
    }
}

#[test]
fn a_pack_only_adds_to_the_rules() {
    for pack in PACKS {
        let own = Bundle::load(&[(pack.name, pack.policies)]).unwrap();
        assert!(own.policies().all(|info| !info.permits), "{}", pack.name);
        let prefix = own.policies().next().unwrap().id.0.split('-').next().unwrap().to_owned();
        assert!(own.policies().all(|info| info.id.0.starts_with(&prefix)), "{}", pack.name);
        for effect in Effect::ALL {
            assert_eq!(own.antitone(effect), crate::Polarity::Antitone, "{}", pack.name);
        }
    }
}

#[test]
fn all_packs_stand_beside_each_other_and_leave_the_tests_of_the_default_policies_alone() {
    let bundle = beside_the_default(&PACKS);
    for case in suite(DEFAULT_TESTS.0, DEFAULT_TESTS.1, &bundle).cases {
        let judged = case.judge(&bundle);
        assert!(judged.misses.is_empty(), "{}: {:?}\n{}", case.name, judged.misses, told(&judged.answer));
    }
}

#[test]
fn every_folder_of_packs_is_one_and_the_page_tells_of_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/packs");
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, PACKS.map(|pack| pack.name));
    let page = include_str!("../../../../docs/policy.md");
    for pack in PACKS {
        assert!(page.contains(&format!("| `{}` | {}", pack.name, pack.about())), "{}", pack.about());
        assert!(pack.about().len() < 120, "one line: {}", pack.about());
    }
}
