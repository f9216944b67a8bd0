//! Frames of `com.atproto.sync.subscribeRepos`, read in place: DAG-CBOR, and the blocks (CAR) that a commit carries.
//!
//! What comes here was written by anybody. Nothing in it is trusted to be there, to be short or to be true.

use super::record::{BLOCK, POST, REPOST};
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;

#[cfg(test)]
mod tests;

/// What a commit may do at once, as the specification says.
const OPS_MAX: u64 = 200;
/// What the hash of a record begins with: version 1, DAG-CBOR, SHA-256 of 32 bytes. There are no others.
const CID_PREFIX: &[u8] = &[0x01, 0x71, 0x12, 0x20];
/// Its length.
const CID_BYTES: usize = 36;

/// A frame of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'b> {
    /// Records were made, changed or deleted.
    Commit(Commit<'b>),
    /// Somebody's handle or keys changed.
    Identity {
        /// Its place in the stream.
        seq: i64,
        /// Whose.
        did: &'b str,
    },
    /// The stream ends, and why.
    Error(&'b str),
    /// A word about the stream, as `OutdatedCursor`.
    Info(&'b str),
    /// Anything else, and its place where it has one.
    Other(Option<i64>),
}

/// A commit to a repository.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Commit<'b> {
    /// Its place in the stream.
    pub seq: i64,
    /// Whose repository.
    pub repo: &'b str,
    /// When it was broadcast first.
    pub time: &'b str,
    /// What was done with posts, reposts and blocks.
    pub ops: Vec<Op<'b>>,
    /// The records, as a CAR file.
    blocks: &'b [u8],
}

/// One thing that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Op<'b> {
    /// `create`, `update` or `delete`.
    pub action: &'b str,
    /// Collection and key.
    pub path: &'b str,
    cid: Option<&'b [u8]>,
}

/// What we need of a record, whatever its collection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record<'b> {
    /// Its text.
    pub text: &'b str,
    /// The first of its languages.
    pub lang: Option<&'b str>,
    /// The thread's first post, and the post that it answers.
    pub reply: Option<(&'b str, &'b str)>,
    /// The record that it quotes.
    pub quotes: Option<&'b str>,
    /// The people it mentions.
    pub mentions: Vec<&'b str>,
    /// What a repost or a block is about: a record, or a person.
    pub subject: Option<&'b str>,
}

impl<'b> Frame<'b> {
    /// Reads a frame: a header and a body.
    ///
    /// # Errors
    /// When it is not what the specification says.
    pub fn read(bytes: &'b [u8]) -> Result<Self, Error> {
        let mut d = Decoder::new(bytes);
        let (mut op, mut kind) = (0, "");
        fields(&mut d, |key, d| {
            match key {
                b"op" => op = d.i64()?,
                b"t" => kind = d.str()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        match (op, kind) {
            (1, "#commit") => Commit::read(&mut d).map(Frame::Commit),
            (1, "#identity") => {
                let (seq, did, _) = short(&mut d)?;
                // Without a place it would lead us back to the beginning.
                Ok(Frame::Identity { seq: seq.ok_or_else(|| Error::message("no seq"))?, did })
            }
            (1, "#info") => short(&mut d).map(|(_, _, name)| Frame::Info(name)),
            (-1, _) => {
                let mut error = "";
                fields(&mut d, |key, d| {
                    if key == b"error" {
                        error = d.str()?;
                    }
                    Ok(key == b"error")
                })?;
                Ok(Frame::Error(error))
            }
            _ => short(&mut d).map(|(seq, _, _)| Frame::Other(seq)),
        }
    }
}

/// Place, person and name of a frame that has nothing else that we need.
fn short<'b>(d: &mut Decoder<'b>) -> Result<(Option<i64>, &'b str, &'b str), Error> {
    let (mut seq, mut did, mut name) = (None, "", "");
    fields(d, |key, d| {
        match key {
            b"seq" => seq = Some(d.i64()?),
            b"did" => did = d.str()?,
            b"name" => name = d.str()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((seq, did, name))
}

impl<'b> Commit<'b> {
    fn read(d: &mut Decoder<'b>) -> Result<Self, Error> {
        let mut commit = Self::default();
        let mut seq = None;
        fields(d, |key, d| {
            match key {
                b"seq" => seq = Some(d.i64()?),
                b"repo" => commit.repo = d.str()?,
                b"time" => commit.time = d.str()?,
                b"blocks" if d.datatype()? == Type::Bytes => commit.blocks = d.bytes()?,
                b"ops" => commit.ops = Op::read_all(d)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        commit.seq = seq.ok_or_else(|| Error::message("no seq"))?;
        if !commit.repo.starts_with("did:") {
            return Err(Error::message("whose repository?"));
        }
        Ok(commit)
    }

    /// The record that an operation made: `None` where the commit does not carry it.
    pub fn record(&self, op: &Op<'b>) -> Option<Record<'b>> {
        let block = find_block(self.blocks, op.cid?)?;
        Record::read(block).ok()
    }
}

impl<'b> Op<'b> {
    /// Those that could concern anybody here: most are likes and follows.
    fn read_all(d: &mut Decoder<'b>) -> Result<Vec<Self>, Error> {
        let count = d.array()?.filter(|count| *count <= OPS_MAX);
        let mut ops = Vec::new();
        for _ in 0..count.ok_or_else(|| Error::message("more operations than allowed"))? {
            let op = Self::read(d)?;
            let collection = op.path.split_once('/').map_or("", |(collection, _)| collection);
            if [POST, REPOST, BLOCK].contains(&collection) {
                ops.push(op);
            }
        }
        Ok(ops)
    }

    fn read(d: &mut Decoder<'b>) -> Result<Self, Error> {
        let mut op = Self::default();
        fields(d, |key, d| {
            match key {
                b"action" => op.action = d.str()?,
                b"path" => op.path = d.str()?,
                b"cid" if d.datatype()? == Type::Tag => {
                    d.tag()?;
                    // DAG-CBOR: the identity multibase prefix, then the CID.
                    let cid = d.bytes()?.strip_prefix(&[0]);
                    op.cid = cid.filter(|cid| cid.starts_with(CID_PREFIX) && cid.len() == CID_BYTES);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(op)
    }
}

impl<'b> Record<'b> {
    /// Reads a record.
    fn read(block: &'b [u8]) -> Result<Self, Error> {
        let mut record = Self::default();
        fields(&mut Decoder::new(block), |key, d| {
            match (key, d.datatype()?) {
                (b"text", Type::String) => record.text = d.str()?,
                (b"subject", Type::String) => record.subject = Some(d.str()?),
                (b"subject", Type::Map) => record.subject = uri_in(d)?,
                (b"reply", Type::Map) => record.reply = Self::reply(d)?,
                (b"embed", Type::Map) => record.quotes = embedded(d, 0)?,
                (b"langs", Type::Array) => each(d, |d| {
                    let lang = d.str()?;
                    record.lang.get_or_insert(lang);
                    Ok(())
                })?,
                (b"facets", Type::Array) => each(d, |d| mentioned(d, &mut record.mentions))?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(record)
    }

    fn reply(d: &mut Decoder<'b>) -> Result<Option<(&'b str, &'b str)>, Error> {
        let (mut root, mut parent) = (None, None);
        fields(d, |key, d| {
            match key {
                b"root" => root = uri_in(d)?,
                b"parent" => parent = uri_in(d)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(root.zip(parent))
    }
}

/// The people that a facet mentions.
fn mentioned<'b>(d: &mut Decoder<'b>, people: &mut Vec<&'b str>) -> Result<(), Error> {
    fields(d, |key, d| {
        if key != b"features" {
            return Ok(false);
        }
        each(d, |d| {
            fields(d, |key, d| {
                if key == b"did" {
                    people.push(d.str()?);
                }
                Ok(key == b"did")
            })
        })?;
        Ok(true)
    })
}

/// The record that an embed holds: in it, or in the record of a record with media.
fn embedded<'b>(d: &mut Decoder<'b>, depth: usize) -> Result<Option<&'b str>, Error> {
    let mut found = None;
    fields(d, |key, d| {
        match (key, d.datatype()?) {
            (b"uri", Type::String) if depth > 0 => found = Some(d.str()?),
            (b"record", Type::Map) if depth < 2 => found = embedded(d, depth + 1)?.or(found),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(found.filter(|uri| uri.starts_with("at://")))
}

/// The `uri` of a strong reference.
fn uri_in<'b>(d: &mut Decoder<'b>) -> Result<Option<&'b str>, Error> {
    let mut uri = None;
    fields(d, |key, d| {
        if key == b"uri" {
            uri = Some(d.str()?);
        }
        Ok(key == b"uri")
    })?;
    Ok(uri)
}

/// Goes through a map's fields; what `take` does not take is passed over.
fn fields<'b>(
    d: &mut Decoder<'b>,
    mut take: impl FnMut(&'b [u8], &mut Decoder<'b>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let count = d.map()?.ok_or_else(|| Error::message("a map without a length"))?;
    for _ in 0..count {
        let key = key(d)?;
        if !take(key, d)? {
            d.skip()?;
        }
    }
    Ok(())
}

/// A field's name. A short one is taken as it is: nobody has to know that it is a text, only which.
fn key<'b>(d: &mut Decoder<'b>) -> Result<&'b [u8], Error> {
    let at = d.position();
    match d.input().get(at) {
        Some(&kind @ 0x60..=0x77) => {
            let end = at + 1 + usize::from(kind - 0x60);
            let name = d.input().get(at + 1..end).ok_or_else(Error::end_of_input)?;
            d.set_position(end);
            Ok(name)
        }
        _ => d.str().map(str::as_bytes),
    }
}

fn each<'b>(
    d: &mut Decoder<'b>,
    mut take: impl FnMut(&mut Decoder<'b>) -> Result<(), Error>,
) -> Result<(), Error> {
    let count = d.array()?.ok_or_else(|| Error::message("an array without a length"))?;
    for _ in 0..count {
        take(d)?;
    }
    Ok(())
}

/// The block with this CID in a CAR file (<https://ipld.io/specs/transport/car/carv1/>).
fn find_block<'b>(car: &'b [u8], cid: &[u8]) -> Option<&'b [u8]> {
    let mut rest = section(car)?.1;
    while !rest.is_empty() {
        let (section, after) = section(rest)?;
        // Sections of nothing, by the million, would be walked through for each operation.
        if section.len() < CID_BYTES {
            return None;
        }
        if let Some(block) = section.strip_prefix(cid) {
            return Some(block);
        }
        rest = after;
    }
    None
}

/// What has its length in front of it, and what follows.
fn section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// An unsigned LEB128 number and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    for (i, &byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (i * 7);
        if byte < 0x80 {
            return Some((value, bytes.get(i + 1..)?));
        }
    }
    None
}
