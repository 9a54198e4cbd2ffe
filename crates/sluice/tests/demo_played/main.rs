//! `sluice demo` as a visitor sees it.

#[cfg(test)]
mod story;
