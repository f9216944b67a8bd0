//! Records as bytes: a version byte, then bincode. One place, so that a format is frozen in one place.
//!
//! bincode is not self-describing: decoding must consume every byte, and a record of an unknown version is refused.

use crate::till::state::{StateError, Table};
use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;

/// No record is larger than this.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

fn config() -> Configuration<LittleEndian, Varint, Limit<RECORD_BYTES_MAX>> {
    bincode::config::standard().with_limit::<RECORD_BYTES_MAX>()
}

/// The bytes of a record, written in the table's present version.
pub fn encode<T: Table>(record: &T::Record) -> Result<Vec<u8>, StateError> {
    // Most records fit.
    let mut bytes = Bytes(Vec::with_capacity(320));
    bytes.0.push(T::VERSION);
    bincode::serde::encode_into_writer(record, &mut bytes, config())
        .map_err(|why| StateError(format!("a record of {} cannot be written: {why}", T::NAME)))?;
    Ok(bytes.0)
}

/// Bytes that grow with what is written.
struct Bytes(Vec<u8>);

impl Writer for Bytes {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Reads a record back.
///
/// # Errors
/// For an unknown version, for bytes that are no such record, and for bytes left over.
pub fn decode<T: Table>(bytes: &[u8]) -> Result<T::Record, StateError> {
    let damaged = |why: String| StateError(format!("a record of {} is damaged: {why}", T::NAME));
    let (&version, rest) = bytes.split_first().ok_or_else(|| damaged("it is empty".to_owned()))?;
    if version != T::VERSION {
        return Err(damaged(format!("version {version} is unknown")));
    }
    let (record, used) =
        bincode::serde::decode_from_slice(rest, config()).map_err(|why| damaged(why.to_string()))?;
    if used == rest.len() {
        Ok(record)
    } else {
        Err(damaged(format!("{} bytes too many", rest.len() - used)))
    }
}
