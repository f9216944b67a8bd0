//! The data file: what opens, what is refused and why, and that a refusal changes nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use redb::{Database, TableDefinition};
use std::path::Path;
use tagtill::store::lease::{Lease, running_at};
use tagtill::store::{Batch, Store, StoreError, copy_to};
use tagtill::till::record::{MerchantRecord, SettingsRecord};
use tagtill::till::state::{Direction, Read, Span, Write};
use tagtill::till::table::Merchants;
use tagtill::till::{id::MerchantId, time::Time};

const CACHE: usize = 16 * 1024 * 1024;

fn fresh() -> SettingsRecord {
    SettingsRecord { epoch: 1, sandbox: false, clock_offset_ms: 0, paused: false }
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, CACHE, &fresh())
}

fn put(store: &Store, ids: impl IntoIterator<Item = u128>) {
    let mut batch = store.batch().unwrap();
    let mut tx = batch.begin();
    for id in ids {
        let record = MerchantRecord { name: format!("m{id}"), created_at: Time::from_ms(1) };
        tx.put::<Merchants>(&MerchantId(id), &record).unwrap();
    }
    tx.keep();
    store.commit(batch).unwrap();
}

fn ids(store: &Store) -> Vec<u128> {
    let mut found = Vec::new();
    let visit = |id: MerchantId, _| {
        found.push(id.0);
        std::ops::ControlFlow::Continue(())
    };
    store.snapshot().unwrap().scan::<Merchants>(&Span::all(), Direction::Up, visit).unwrap();
    found
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/down/till.redb");
    let store = open(&path).unwrap();
    put(&store, [3, 1, 2]);
    drop(store);
    assert_eq!(ids(&open(&path).unwrap()), [1, 2, 3]);
}

#[test]
fn a_buffer_that_is_not_kept_leaves_nothing_and_each_sees_what_was_kept_before() {
    let store = Store::in_memory(&fresh()).unwrap();
    put(&store, [5]);
    let mut batch = store.batch().unwrap();
    let record = MerchantRecord { name: "m".to_owned(), created_at: Time::from_ms(1) };
    let mut kept = batch.begin();
    kept.put::<Merchants>(&MerchantId(6), &record).unwrap();
    kept.delete::<Merchants>(&MerchantId(5));
    kept.keep();
    let mut dropped = batch.begin();
    assert!(dropped.get::<Merchants>(&MerchantId(5)).unwrap().is_none());
    assert!(dropped.get::<Merchants>(&MerchantId(6)).unwrap().is_some());
    dropped.put::<Merchants>(&MerchantId(7), &record).unwrap();
    assert_eq!(dropped.first::<Merchants>(&Span::all(), 10).unwrap().len(), 2);
    drop(dropped);
    assert_eq!(ids(&store), [5], "nothing is visible before the commit");
    store.commit(batch).unwrap();
    assert_eq!(ids(&store), [6]);
}

#[test]
fn a_batch_on_top_of_another_sees_it_before_and_after_that_is_committed() {
    let store = Store::in_memory(&fresh()).unwrap();
    put(&store, [1, 2, 3]);
    let record = |name: &str| MerchantRecord { name: name.to_owned(), created_at: Time::from_ms(1) };
    let mut below = store.batch().unwrap();
    let mut tx = below.begin();
    tx.delete::<Merchants>(&MerchantId(1));
    tx.put::<Merchants>(&MerchantId(2), &record("changed")).unwrap();
    tx.put::<Merchants>(&MerchantId(4), &record("new")).unwrap();
    tx.keep();
    let sealed = below.seal();
    let look = |batch: &mut Batch| {
        let tx = batch.begin();
        assert!(tx.get::<Merchants>(&MerchantId(1)).unwrap().is_none());
        assert_eq!(tx.get::<Merchants>(&MerchantId(2)).unwrap().unwrap().name, "changed");
        let seen = tx.first::<Merchants>(&Span::all(), 10).unwrap();
        let seen: Vec<_> = seen.into_iter().map(|(id, merchant)| (id.0, merchant.name)).collect();
        let expected = [(2, "changed"), (3, "m3"), (4, "new")];
        assert_eq!(seen, expected.map(|(id, name)| (id, name.to_owned())));
    };
    let mut early = store.batch_on(&sealed).unwrap();
    look(&mut early);
    assert_eq!(ids(&store), [1, 2, 3], "nothing is visible before the commit");
    store.commit_sealed(&sealed).unwrap();
    look(&mut early);
    look(&mut store.batch_on(&sealed).unwrap());
    assert_eq!(ids(&store), [2, 3, 4]);
    // What the upper batch deletes stays deleted, whatever lies below.
    let mut tx = early.begin();
    tx.delete::<Merchants>(&MerchantId(4));
    tx.keep();
    store.commit(early).unwrap();
    assert_eq!(ids(&store), [2, 3]);
}

#[test]
fn a_copy_holds_what_the_snapshot_shows_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("till.redb")).unwrap();
    put(&store, 0..30_000);
    let snapshot = store.snapshot().unwrap();
    put(&store, [99_999]);
    let copy = folder.path().join("copy.redb");
    copy_to(&snapshot, &copy).unwrap();
    assert!(matches!(copy_to(&snapshot, &copy), Err(StoreError::Exists(_))));
    let opened = Store::open_existing(&copy, CACHE).unwrap().check_pages().unwrap();
    assert_eq!(ids(&opened).len(), 30_000);
    assert_eq!(opened.settings().unwrap(), fresh());
    assert!(!folder.path().join("copy.redb.tmp").exists());
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("till.redb");
    drop(open(&path).unwrap());
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    let meta: TableDefinition<&str, u64> = TableDefinition::new("meta");
    write.open_table(meta).unwrap().insert("schema_version", 99).unwrap();
    write.commit().unwrap();
    drop(database);
    let said = open(&path).err().unwrap().to_string();
    assert!(said.contains("newer tagtill (schema 99"), "{said}");
}

#[test]
fn junk_truncated_and_foreign_files_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.redb");
    let store = open(&good).unwrap();
    put(&store, 0..1000);
    drop(store);
    let bytes = std::fs::read(&good).unwrap();
    let foreign = folder.path().join("foreign.redb");
    drop(Database::create(&foreign).unwrap());
    let cases =
        [("junk", vec![1; 10_000]), ("empty-ish", vec![0; 100]), ("cut", bytes[..bytes.len() / 2].to_vec())];
    for (name, content) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, &content).unwrap();
        let said = open(&path).err().unwrap_or_else(|| panic!("{name} opened")).to_string();
        assert!(said.contains("tagtill restore"), "{name}: {said}");
        assert_eq!(std::fs::read(&path).unwrap(), content, "{name} is as it was");
    }
    let said = open(&foreign).err().unwrap().to_string();
    assert!(said.contains("no data file of tagtill"), "{said}");
}

#[test]
fn a_file_that_is_open_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("till.redb");
    let _store = open(&path).unwrap();
    assert!(matches!(open(&path), Err(StoreError::Locked(_))));
}

#[test]
fn a_lease_is_held_by_one_and_says_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("till.redb");
    assert_eq!(running_at(&path), None);
    let mut lease = Lease::take(&path).unwrap();
    lease.announce("http://127.0.0.1:1").unwrap();
    assert_eq!(running_at(&path).as_deref(), Some("http://127.0.0.1:1"));
    assert!(matches!(Lease::take(&path), Err(StoreError::Locked(_))));
    drop(lease);
    assert_eq!(running_at(&path), None);
    assert!(Lease::take(&path).is_ok());
}
