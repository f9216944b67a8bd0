//! Records as bytes: the first byte says of which table, the rest is what the file holds.

use std::fmt::Debug;
use tagtill::store::codec::{decode, encode};
use tagtill::till::state::{Key, Table};
use tagtill::till::table::*;

macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        const ONE: &[fn(&[u8])] = &[$(one::<$table>),*];
        #[cfg(test)]
        const NAMES: &[&str] = &[$($table::NAME),*];
    };
}

tables! {
    Settings, Counters, Networks, Merchants, Accounts, Identities, Offers, Stocks, Hashtags, Lookalikes, Posts,
    Purchases, Buyers, Deadlines, Work, Orders, Refunds, Replies, Outbox, ReplyPosts, EarlyReposts, Told, Events,
    Tokens, Idempotency, IdempotencyAges, OfferVersions, Waiting, Waiters, WaitingDue, Deals, Enrolments, Enrolled, EnrolledCards, Transactions, Credits, AccountCredits, Hints, Rates, Limits, Captures, Cards,
    Journal, Balances, Disputes, Notices, NoticesSeen, Endpoints, Resends, Deliveries, LinkSessions, LinkCodes, Pages,
    Cursors, OptOuts,
}

/// The input is a table's number and the bytes of a record.
pub fn records(data: &[u8]) {
    let Some((&table, bytes)) = data.split_first() else { return };
    if let Some(one) = ONE.get(usize::from(table)) {
        one(bytes);
    }
}

fn one<T: Table>(bytes: &[u8])
where
    T::Record: PartialEq + Debug,
    T::Key: Debug,
{
    // Keys sort in the file by their bytes: there is exactly one way to write each.
    if let Some(key) = T::Key::decode(bytes) {
        assert_eq!(key.encode(), bytes, "{key:?}");
    }
    let Ok(record) = decode::<T>(bytes) else { return };
    // bincode reads a number in more bytes than it writes it in, so only what we write has to come back.
    let written = encode::<T>(&record).unwrap();
    assert!(written.len() <= bytes.len(), "{}: {record:?}", T::NAME);
    assert_eq!(decode::<T>(&written).as_ref(), Ok(&record));
}

#[cfg(test)]
#[test]
fn every_table_has_its_number() {
    assert_eq!(NAMES, TABLE_NAMES);
}
