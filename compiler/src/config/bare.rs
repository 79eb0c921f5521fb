//! An address without quotes in a text that is not TOML: as policies write it. Takes the text and where reading stopped.

/// The address or network without quotes that holds a place of a text, if there is one.
pub(super) fn address(text: &str, at: usize) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/');
    let (before, after) = text.split_at_checked(at)?;
    let start = before.rfind(|c| !is_part(c)).map_or(0, |found| found + 1);
    let end = after.find(|c| !is_part(c)).map_or(text.len(), |found| at + found);
    let word = text.get(start..end)?;
    let address = word.split('/').next()?;
    address.parse::<std::net::IpAddr>().is_ok().then_some(word)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_whole_of_it_is_found() {
        assert_eq!(address("nets = [10.0.0.0/8, x]", 12), Some("10.0.0.0/8"));
        assert_eq!(address("a = fd00::7\n", 5), Some("fd00::7"));
        assert_eq!(address("a = 1.2.3\n", 7), None);
        assert_eq!(address("a", 9), None);
    }
}
