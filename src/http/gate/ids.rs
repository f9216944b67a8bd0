//! Request ids.

/// Gives out ids of 130 random bits each, taken from the system some dozens at a time.
#[derive(Default)]
pub struct Ids {
    random: Vec<u8>,
}

impl Ids {
    const CHARACTERS: usize = 26;
    const AT_ONCE: usize = 32;

    /// One more: `req_` and 26 characters.
    pub fn next(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        if self.random.len() < Ids::CHARACTERS {
            self.random.resize(Ids::CHARACTERS * Ids::AT_ONCE, 0);
            if let Err(error) = getrandom::fill(&mut self.random) {
                // Ids are for finding lines in the log: better weak ones than none.
                log::error!("no random bytes for request ids: {error}");
            }
        }
        let mut id = String::with_capacity(4 + Ids::CHARACTERS);
        id.push_str("req_");
        for byte in self.random.drain(self.random.len() - Ids::CHARACTERS..) {
            id.push(char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0')));
        }
        id
    }
}
