//! States with one thing broken each.
