//! What changed in the registers and in `workspace.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::contract::registers::{Category, Described, DestinationEntry, ReleaseEntry};
use sluice_core::contract::workspace::LoginGroups;
use sluice_core::contract::{Governance, Located, Register, Workspace};
use sluice_core::label::Name;
use sluice_policy::{Aspect, Growth};

use super::{Change, How, listed};

pub(super) fn changes(before: &Governance, after: &Governance) -> Vec<Change> {
    let (old, new) = (&before.registers, &after.registers);
    let mut changes = workspace(&before.workspace, &after.workspace);
    changes.extend(entries("destination", Growth::No, &old.destinations, &new.destinations, destination));
    // What inspection finds is of a category only if there is one.
    changes.extend(entries("category", Growth::May, &old.classification, &new.classification, category));
    changes.extend(entries("release", Growth::No, &old.releases, &new.releases, release));
    changes.extend(entries("purpose", Growth::No, &old.purposes, &new.purposes, described("data can be used for it")));
    changes.extend(entries("region", Growth::No, &old.regions, &new.regions, described("data can lie there")));
    for finder in sluice_core::found::Finder::ALL {
        let classes = |found: &BTreeMap<_, Vec<Located<Name>>>| found.get(&finder).map(|list| set(list));
        let (old, new) = (classes(&old.inspection), classes(&new.inspection));
        if old != new {
            let told = |classes: &Option<BTreeSet<Name>>| classes.as_ref().map_or("as by default".to_owned(), listed);
            let words = format!("what it finds counted as {}, and counts as {}", told(&old), told(&new));
            changes.push(changed("inspection", finder.name(), vec![Aspect::new(words, Growth::May)]));
        }
    }
    changes
}

fn changed(about: &'static str, name: &str, aspects: Vec<Aspect>) -> Change {
    Change { about, name: name.to_owned(), how: How::Changed, aspects }
}

/// Entry by entry: `aspects` says what a new one, or another one, is; `gone`, what it may mean that one went.
fn entries<T>(
    about: &'static str,
    gone: Growth,
    old: &Register<T>,
    new: &Register<T>,
    aspects: impl Fn(Option<&T>, &T) -> Vec<Aspect>,
) -> Vec<Change> {
    let names: BTreeSet<&Name> = old.entries.keys().chain(new.entries.keys()).collect();
    let change = |name: &Name| {
        let (was, is) = (old.get(name), new.get(name));
        let aspects = match is {
            None => vec![Aspect::new("it is no longer in the register", gone)],
            Some(is) => aspects(was, is),
        };
        (!aspects.is_empty()).then(|| Change {
            about,
            name: name.to_string(),
            how: How::of(was.is_some(), is.is_some()),
            aspects,
        })
    };
    names.into_iter().filter_map(change).collect()
}

fn set(names: &[Located<Name>]) -> BTreeSet<Name> {
    names.iter().map(|name| name.value.clone()).collect()
}

/// What came and what went, each in words.
fn names(
    out: &mut Vec<Aspect>,
    old: &[Located<Name>],
    new: &[Located<Name>],
    came: (&str, Growth),
    gone: (&str, Growth),
) {
    let (old, new) = (set(old), set(new));
    for (these, those, (words, growth)) in [(&new, &old, came), (&old, &new, gone)] {
        if these.difference(those).next().is_some() {
            out.push(Aspect::new(format!("{words} {}", listed(these.difference(those))), growth));
        }
    }
}

fn moved(out: &mut Vec<Aspect>, what: &str, old: &Name, new: &Name) {
    if old != new {
        out.push(Aspect::new(format!("{what} was `{old}`, and is `{new}`"), Growth::May));
    }
}

fn destination(was: Option<&DestinationEntry>, is: &DestinationEntry) -> Vec<Aspect> {
    let Some(was) = was else {
        let cleared = listed(is.cleared.iter().map(|name| &name.value));
        let words = format!("data can be sent to it, in region `{}`, cleared for {cleared}", is.region.value);
        return vec![Aspect::new(words, Growth::Yes)];
    };
    let mut out = Vec::new();
    names(
        &mut out,
        &was.cleared,
        &is.cleared,
        ("it is cleared for", Growth::Yes),
        ("it is no longer cleared for", Growth::No),
    );
    moved(&mut out, "its region", &was.region.value, &is.region.value);
    moved(&mut out, "whoever answers for it", &was.owner.value, &is.owner.value);
    out
}

fn category(was: Option<&Category>, is: &Category) -> Vec<Aspect> {
    let Some(was) = was else {
        return vec![Aspect::new(format!("a kind of data of `{}`", is.owner.value), Growth::No)];
    };
    let mut out = Vec::new();
    moved(&mut out, "its owner", &was.owner.value, &is.owner.value);
    for (what, old, new) in [("regions", &was.regions, &is.regions), ("purposes", &was.purposes, &is.purposes)] {
        match (old, new) {
            (None, None) => {}
            (Some(_), None) => out.push(Aspect::new(format!("its owner allows all {what} now"), Growth::Yes)),
            (None, Some(only)) => {
                let only = listed(only.iter().map(|name| &name.value));
                out.push(Aspect::new(format!("its owner allows only these {what}: {only}"), Growth::No));
            }
            (Some(old), Some(new)) => {
                let (came, gone) =
                    (format!("its owner also allows the {what}"), format!("its owner no longer allows the {what}"));
                names(&mut out, old, new, (&came, Growth::Yes), (&gone, Growth::No));
            }
        }
    }
    out
}

fn release(was: Option<&ReleaseEntry>, is: &ReleaseEntry) -> Vec<Aspect> {
    let Some(was) = was else {
        let cleared = listed(is.categories.iter().chain(&is.origins).map(|name| &name.value));
        return vec![Aspect::new(format!("`{}` vouches by it for {cleared}", is.by.value), Growth::Yes)];
    };
    let mut out = Vec::new();
    moved(&mut out, "whoever vouches", &was.by.value, &is.by.value);
    let clears = (("it also clears", Growth::Yes), ("it no longer clears", Growth::No));
    names(&mut out, &was.categories, &is.categories, clears.0, clears.1);
    names(&mut out, &was.origins, &is.origins, clears.0, clears.1);
    match (&was.accepts, &is.accepts) {
        (Some(old), Some(new)) => {
            names(&mut out, old, new, ("it also accepts", Growth::Yes), ("it no longer accepts", Growth::No));
        }
        (Some(_), None) => out.push(Aspect::new("it accepts whatever its person may vouch for", Growth::Yes)),
        (None, Some(_)) => out.push(Aspect::new("it accepts only what it names", Growth::No)),
        (None, None) => {}
    }
    if is.kind.resolved() != was.kind.resolved() {
        out.push(Aspect::new("what it does to the value is another", Growth::May));
    }
    out
}

fn described(what: &'static str) -> impl Fn(Option<&Described>, &Described) -> Vec<Aspect> {
    move |was, _| if was.is_none() { vec![Aspect::new(what, Growth::May)] } else { Vec::new() }
}

fn workspace(before: &Workspace, after: &Workspace) -> Vec<Change> {
    let mut out = Vec::new();
    moved(&mut out, "its name", &before.name.value, &after.name.value);
    if before.mode != after.mode {
        let words = format!("its mode was `{}`, and is `{}`", before.mode.name(), after.mode.name());
        let loosens = after.mode.accepts_key_files() && !before.mode.accepts_key_files();
        let words = if loosens { format!("{words}: key files stand for people in it") } else { words };
        out.push(Aspect::new(words, if loosens { Growth::Yes } else { Growth::No }));
    }
    match (before.solo, after.solo) {
        (false, true) => out.push(Aspect::new("one person alone may change its rules", Growth::Yes)),
        (true, false) => out.push(Aspect::new("two people change its rules", Growth::No)),
        _ => {}
    }
    let signers = |w: &Workspace| w.definitions.as_ref().map(|asked| (asked.role.clone(), asked.quorum));
    let (old, new) = (signers(before), signers(after));
    let told = |asked: &Option<(Name, usize)>| {
        asked.as_ref().map_or("nobody".to_owned(), |(role, quorum)| format!("{quorum} of {role}"))
    };
    if old != new {
        let growth = match (&old, &new) {
            (None, _) => Growth::No,
            (Some((old, few)), Some((new, many))) if old == new && many >= few => Growth::No,
            (Some((old, _)), Some((new, _))) if old != new => Growth::May,
            _ => Growth::Yes,
        };
        out.push(Aspect::new(
            format!("definitions were signed by {}, and are signed by {}", told(&old), told(&new)),
            growth,
        ));
    }
    out.extend(login_groups(before.login_groups.as_ref(), after.login_groups.as_ref()));
    if out.is_empty() { Vec::new() } else { vec![changed("workspace", &after.name.value, out)] }
}

/// Whom an identity provider can put into which group.
fn login_groups(before: Option<&LoginGroups>, after: Option<&LoginGroups>) -> Vec<Aspect> {
    let pairs = |mapping: Option<&LoginGroups>| -> BTreeSet<(Name, Name, Name)> {
        let of = |mapping: &LoginGroups| {
            let claim = mapping.claim.clone();
            let pairs = mapping.groups.iter().map(|(theirs, ours)| (claim.clone(), theirs.clone(), ours.clone()));
            pairs.collect::<Vec<_>>()
        };
        mapping.map(of).into_iter().flatten().collect()
    };
    let (old, new) = (pairs(before), pairs(after));
    let told = |(claim, theirs, ours): &(Name, Name, Name)| {
        format!("who has `{theirs}` in `{claim}` of the identity provider's word is in `{ours}`")
    };
    let came = new.difference(&old).map(|pair| Aspect::new(told(pair), Growth::Yes));
    let gone = old.difference(&new).map(|pair| Aspect::new(format!("no longer: {}", told(pair)), Growth::No));
    came.chain(gone).collect()
}
