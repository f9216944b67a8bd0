//! Who calls: bearer tokens, roles, and whether a request comes from this machine.

use super::message::Request;
use super::problem::{Code, Problem};
use super::route::{Access, Kind, Route};
use crate::engine::{Memory, TokenEntry};
use crate::till::role::Role;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// SHA-256 of a token: the till keeps and compares nothing else.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Who may make this call with the request's token; `None` for an open call from this machine.
pub fn admit(
    route: &Route,
    request: &Request,
    memory: &Memory,
    trusted_proxies: &[IpAddr],
) -> Result<Option<TokenEntry>, Problem> {
    let kinds = match route.access {
        Access::Open if is_local(request, trusted_proxies) => return Ok(None),
        Access::Signed => return Ok(None),
        Access::Open => &[],
        Access::Roles(kinds) => kinds,
    };
    let caller = authenticate(request, memory)?;
    let allowed = match &caller.role {
        Role::Admin => true,
        Role::Network(_) => kinds.contains(&Kind::Network),
        Role::Merchant(_) => kinds.contains(&Kind::Merchant),
        Role::Processor => kinds.contains(&Kind::Processor),
    };
    if allowed {
        Ok(Some(caller))
    } else {
        Err(Problem::new(Code::Forbidden, "This token's role may not make this call."))
    }
}

fn authenticate(request: &Request, memory: &Memory) -> Result<TokenEntry, Problem> {
    let refuse =
        |detail: &str| Problem::new(Code::Unauthorized, detail).with_header("WWW-Authenticate", "Bearer");
    let mut values = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let Some((_, value)) = values.next() else {
        return Err(refuse("Send a token: Authorization: Bearer …"));
    };
    if values.next().is_some() {
        return Err(refuse("Send one Authorization header."));
    }
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
    let known = token.and_then(|token| memory.token(&hash_token(token)));
    known.ok_or_else(|| refuse("This token is not known, or was revoked."))
}

/// Whether a request was made on this machine.
///
/// One that was forwarded is not, wherever it comes from, unless the forwarding proxy is configured: then the
/// client that the proxy names decides.
pub fn is_local(request: &Request, trusted_proxies: &[IpAddr]) -> bool {
    let peer = request.peer.ip().to_canonical();
    let values = |wanted: &str| {
        let wanted = wanted.to_owned();
        request.headers.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    };
    let forwarded = values("forwarded").next_back();
    let forwarded_for = values("x-forwarded-for").next_back();
    if forwarded.is_none() && forwarded_for.is_none() {
        return peer.is_loopback();
    }
    if !trusted_proxies.iter().any(|proxy| proxy.to_canonical() == peer) {
        return false;
    }
    // What the proxy itself has seen stands last; anything before it may be the client's own invention.
    let named = [forwarded.and_then(last_forwarded), forwarded_for.and_then(last_address)];
    let given = usize::from(forwarded.is_some()) + usize::from(forwarded_for.is_some());
    named.iter().flatten().count() == given && named.iter().flatten().all(IpAddr::is_loopback)
}

/// Whose request it is, for counting: the client that a proxy on this machine, or one that is configured, has seen;
/// otherwise the other end of the connection. Where two headers name one, one of them may be the client's invention,
/// and both are given.
pub fn client_addresses(request: &Request, trusted_proxies: &[IpAddr]) -> Vec<IpAddr> {
    let peer = request.peer.ip().to_canonical();
    let by_proxy = peer.is_loopback() || trusted_proxies.iter().any(|proxy| proxy.to_canonical() == peer);
    if !by_proxy {
        return vec![peer];
    }
    let last = |name: &str| {
        let mut values = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next_back().map(|(_, value)| value.as_str())
    };
    let seen = [last("forwarded").and_then(last_forwarded), last("x-forwarded-for").and_then(last_address)];
    let seen: Vec<_> = seen.into_iter().flatten().collect();
    if seen.is_empty() { vec![peer] } else { seen }
}

fn last_address(list: &str) -> Option<IpAddr> {
    list.rsplit(',').next()?.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The `for=` of the last element of a `Forwarded` header (RFC 7239).
fn last_forwarded(list: &str) -> Option<IpAddr> {
    let element = list.rsplit(',').next()?;
    let pair = element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    let node = pair.trim_matches('"');
    let node = node.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(node);
    last_address(node)
}
