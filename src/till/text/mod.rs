//! Reading and measuring text: hashtags, folding, lengths, card numbers. Pure functions over `&str`.
