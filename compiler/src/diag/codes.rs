//! Every code that a finding can have. The constants and the table are made from the pages in `compiler/pages/`, so a code
//! without a page does not compile. Codes are never used again for something else.

use super::Level;
use super::page::Page;

include!(concat!(env!("OUT_DIR"), "/codes.rs"));

const _: () = {
    let mut rest = ebsec_grammar::codes();
    while let [code, others @ ..] = rest {
        assert!(has_page(code), "a code of the grammar has no page in compiler/pages");
        rest = others;
    }
};

const fn has_page(code: &str) -> bool {
    let mut rest = PAGES;
    while let [page, others @ ..] = rest {
        if same(page.code.as_bytes(), code.as_bytes()) {
            return true;
        }
        rest = others;
    }
    false
}

/// `==`, which constants cannot use yet.
const fn same(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.is_empty() && b.is_empty()
}

/// All pages, sorted by code.
#[must_use]
pub fn all() -> &'static [Page] {
    PAGES
}

/// The page of a code or a name, in any case of letters.
#[must_use]
pub fn page(code_or_name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|p| p.code.eq_ignore_ascii_case(code_or_name) || p.name.eq_ignore_ascii_case(code_or_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_sorted_and_found() {
        assert!(PAGES.is_sorted_by(|a, b| a.code < b.code));
        assert!(PAGES.iter().all(|p| p.title.len() < 80 && !p.title.ends_with('.') && p.text.len() > 100));
        assert_eq!(page("e0204").map(|p| p.name), Some("unknown-field"));
        assert_eq!(page("Unknown-Field").map(|p| p.code), Some("E0204"));
        assert!(page("E9999").is_none() && page("").is_none());
    }
}
