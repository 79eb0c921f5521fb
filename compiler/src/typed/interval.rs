//! Sets of numbers and addresses as sorted disjoint closed intervals. IPv4 lives at its v4-mapped place in IPv6, and no
//! IPv6 prefix reaches into that place: a v4-mapped address is the v4 address.

use crate::hir::Prefix;
use std::net::IpAddr;

/// Sorted, disjoint, not adjacent.
pub type Intervals = Vec<(u128, u128)>;

/// First and last v4-mapped address.
const MAPPED: (u128, u128) = (0xFFFF_0000_0000, 0xFFFF_FFFF_FFFF);

/// Sorts and joins what overlaps or touches.
#[must_use]
pub fn normal(mut all: Intervals) -> Intervals {
    all.sort_unstable();
    let mut out: Intervals = Vec::with_capacity(all.len());
    for (low, high) in all {
        match out.last_mut() {
            Some(last) if low <= last.1 || last.1.checked_add(1) == Some(low) => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out
}

/// The first without the second; both normal.
#[must_use]
pub fn minus(a: &Intervals, b: &Intervals) -> Intervals {
    let mut out = Vec::new();
    let mut from = 0;
    for &(low, high) in a {
        let mut low = Some(low);
        while b.get(from).is_some_and(|(_, end)| low.is_some_and(|l| *end < l)) {
            from += 1;
        }
        for &(cut_low, cut_high) in b.iter().skip(from).take_while(|(start, _)| *start <= high) {
            let Some(start) = low else { break };
            if start < cut_low {
                out.push((start, cut_low - 1));
            }
            low = cut_high.checked_add(1).filter(|next| *next <= high);
        }
        out.extend(low.filter(|l| *l <= high).map(|l| (l, high)));
    }
    out
}

/// An address as a number.
#[must_use]
pub fn address(ip: IpAddr) -> u128 {
    match ip.to_canonical() {
        IpAddr::V4(v4) => MAPPED.0 | u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// IPv6 from `low` to `high`, without the v4-mapped place unless all of it lies there.
#[must_use]
pub fn v6(low: u128, high: u128) -> Intervals {
    if low >= MAPPED.0 && high <= MAPPED.1 { vec![(low, high)] } else { minus(&vec![(low, high)], &vec![MAPPED]) }
}

/// The fewest prefixes that cover normal intervals exactly, sorted, none within another.
#[must_use]
pub fn prefixes(all: &Intervals) -> Vec<Prefix> {
    let mut out = Vec::new();
    let outside = minus(all, &vec![MAPPED]);
    for (low, high) in minus(all, &outside) {
        split(low, high, &mut |value, length| out.push(Prefix::V4(value as u32, length.saturating_sub(96))));
    }
    for (low, high) in outside {
        split(low, high, &mut |value, length| out.push(Prefix::V6(value, length)));
    }
    out
}

/// Cuts an interval at the bounds of powers of two.
fn split(low: u128, high: u128, give: &mut impl FnMut(u128, u8)) {
    let mut at = low;
    loop {
        let mut bits = at.trailing_zeros().min(128);
        while bits > 0 && last_of(at, bits) > high {
            bits -= 1;
        }
        give(at, 128 - bits as u8);
        match last_of(at, bits).checked_add(1) {
            Some(next) if next <= high => at = next,
            _ => return,
        }
    }
}

fn last_of(start: u128, bits: u32) -> u128 {
    start | 1u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_v6_prefix_never_reaches_the_v4_addresses() {
        let all = prefixes(&v6(0, u128::MAX));
        assert_eq!(all.len(), 96);
        assert!(all.iter().all(|p| matches!(p, Prefix::V6(..))));
        let v4 = prefixes(&vec![MAPPED]);
        assert_eq!(v4, [Prefix::V4(0, 0)]);
        assert_eq!(prefixes(&vec![(5, 5)]), [Prefix::V6(5, 128)]);
    }

    #[test]
    fn minus_at_the_ends() {
        assert_eq!(minus(&vec![(0, u128::MAX)], &vec![(0, 0), (u128::MAX, u128::MAX)]), [(1, u128::MAX - 1)]);
        assert_eq!(minus(&vec![(1, 5)], &vec![(0, 9)]), []);
        assert_eq!(minus(&vec![(1, 5), (8, 9)], &vec![(3, 8)]), [(1, 2), (9, 9)]);
    }

    proptest! {
        #[test]
        fn sets_of_small_numbers_behave(a in prop::collection::vec((0u128..40, 0u128..8), 0..6), b in prop::collection::vec((0u128..40, 0u128..8), 0..6)) {
            let make = |v: &[(u128, u128)]| normal(v.iter().map(|(l, n)| (*l, l + n)).collect());
            let (a, b) = (make(&a), make(&b));
            let c = minus(&a, &b);
            let has = |s: &Intervals, x: u128| s.iter().any(|(l, h)| (*l..=*h).contains(&x));
            for x in 0..60 {
                prop_assert_eq!(has(&c, x), has(&a, x) && !has(&b, x));
            }
            prop_assert_eq!(normal(c.clone()), c.clone());
            let covered: u128 = prefixes(&c).iter().map(|p| match p { Prefix::V6(_, l) => 1u128 << (128 - l), Prefix::V4(..) => 0 }).sum();
            prop_assert_eq!(covered, c.iter().map(|(l, h)| h - l + 1).sum::<u128>());
        }
    }
}
