//! Which bound holds for what, and what is no budget.

use insta::assert_snapshot;

use super::*;
use crate::contract::budgets::{Kind, Use, Window, limits, named};

/// The bounds of a register with these entries.
fn held(entries: &str, of: Use, kind: Kind, name: &str) -> Vec<(&'static str, u64)> {
    let mut files = workspace();
    files.insert("registers/budgets.yaml".to_owned(), format!("version: 1\nbudgets:\n{entries}"));
    let registers = read(&files).map_err(|_| problems(&files)).unwrap().registers;
    limits(&registers.budgets, of, kind, name).into_iter().map(|(window, limit)| (window.name(), limit)).collect()
}

#[test]
fn a_budget_of_its_own_stands_in_place_of_that_of_each() {
    let entries = "  all: { each: origin, asks: 20, per: hour }\n  also: { each: origin, asks: 90, calls: 4, per: day }\n\
                   \x20 own: { origin: tickets, asks: 50, per: hour }\n  less: { origin: tickets, asks: 30, per: hour }\n";
    for (of, kind, name, expected) in [
        (Use::Ask, Kind::Origin, "crm", vec![("hour", 20), ("day", 90)]),
        (Use::Ask, Kind::Origin, "tickets", vec![("hour", 30)]),
        // Its own says nothing of calls.
        (Use::Call, Kind::Origin, "tickets", vec![("day", 4)]),
        (Use::Ask, Kind::Dataset, "tickets", vec![]),
    ] {
        assert_eq!(held(entries, of, kind, name), expected, "{of:?} {kind:?} {name}");
    }
    let registers = read(&workspace()).unwrap().registers;
    let of_calls: Vec<&str> = named(&registers.budgets, Use::Call, Kind::Class).map(AsRef::as_ref).collect();
    assert_eq!(of_calls, ["phi"]);
}

#[test]
fn a_window_begins_where_the_one_before_it_ends() {
    for (window, length_ms) in [(Window::Minute, 60_000), (Window::Hour, 3_600_000), (Window::Day, 86_400_000)] {
        assert_eq!([0, length_ms - 1, length_ms].map(|time_ms| window.of(time_ms)), [0, 0, 1], "{window:?}");
    }
}

#[test]
fn what_is_no_budget_is_said() {
    let budgets = |entries: &str| {
        let mut files = workspace();
        files.insert("registers/budgets.yaml".to_owned(), format!("version: 1\nbudgets:\n{entries}"));
        problems(&files)
    };
    assert_snapshot!(budgets("  a: { each: origin, origin: crm, asks: 1, per: hour }\n  b: { asks: 1, per: hour }\n  c: { origin: crm, per: hour }"), @r"
    SL789 registers/budgets.yaml:3:3 `a` must say of what it is a budget, once
    SL789 registers/budgets.yaml:4:3 `b` must say of what it is a budget, once
    SL789 registers/budgets.yaml:5:3 `c` bounds neither `asks` nor `calls`
    ");
    assert_snapshot!(budgets("  a: { origin: crn, asks: 1, per: hour }\n  b: { class: ph, asks: 1, per: hour }\n  c: { dataset: crm.acounts, calls: 1, per: day }\n  d: { destination: sheets-uk, calls: 1, per: day }\n  e: { destination: crm.accounts, calls: 1, per: day }"), @r"
    SL764 registers/budgets.yaml:3:16 `crn` is no origin; did you mean `crm`?
    SL764 registers/budgets.yaml:4:15 `ph` is not in the classification register
    SL764 registers/budgets.yaml:5:17 `crm.acounts` is no dataset of a contract; did you mean `crm.accounts`?
    SL764 registers/budgets.yaml:6:21 `sheets-uk` is no destination, and no dataset of a contract; did you mean `sheets-us`?
    ");
    assert_snapshot!(budgets("  a: { origin: crm, asks: many, calls: 3, per: hour }\n  b: { each: origin, asks: 1, per: year }"), @r"
    SL118 registers/budgets.yaml:3:27 `asks` must be a whole number of 0 or more, found text
    SL119 registers/budgets.yaml:4:36 `per` is `year`; allowed are `minute`, `hour`, `day`
    ");
}
