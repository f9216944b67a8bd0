//! Which addresses webhooks may go to: the world's, never this machine's or its network's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks names up, and gives no address that may not be dialled: what was checked is what is dialled.
#[derive(Debug)]
pub struct Checked<R = DefaultResolver> {
    inner: R,
    /// A sandbox may send to its own machine.
    loopback: bool,
}

impl<R: Resolver> Checked<R> {
    /// What `inner` finds, with or without this machine's own addresses.
    pub fn new(inner: R, loopback: bool) -> Self {
        Self { inner, loopback }
    }

    fn may(&self, address: &SocketAddr) -> bool {
        is_public(address.ip()) || self.loopback && address.ip().is_loopback()
    }
}

impl<R: Resolver> Resolver for Checked<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One that may not be dialled spoils them all: a name that leads inside is an attack or an error.
        if found.iter().all(|address| self.may(address)) {
            return Ok(found);
        }
        let why = "its name leads to an address that may not be dialled";
        Err(Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why)))
    }
}

/// Whether an address is one of the open internet (IANA's special-purpose registries, RFC 6890).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    #[allow(clippy::match_same_arms, reason = "a line each for what they are")]
    let special = match (a, b, c) {
        // This network, private, shared (CGNAT), loopback, link-local, private.
        (0 | 10 | 127, _, _) | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) => true,
        // Protocol assignments, documentation, 6to4 relays, private.
        (192, 0, 0 | 2) | (192, 88, 99) | (192, 168, _) => true,
        // Benchmarks, documentation, multicast, reserved, broadcast.
        (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) | (224..=255, _, _) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let special = match a {
        // Global unicast without documentation, Teredo and other protocols' own, and 6to4, which hides an IPv4 address.
        0x2001 => b < 0x0200 || b == 0x0db8,
        0x2002 => true,
        0x3fff => b < 0x1000,
        // The rest of 2000::/3 is public; mapped, compatible, NAT64, unique local, link-local, multicast are not in it.
        0x2000..=0x3fff => false,
        _ => true,
    };
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_open_internet_may_be_dialled() {
        for fine in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
        ] {
            assert!(is_public(fine.parse().unwrap()), "{fine}");
        }
        for refused in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(refused.parse().unwrap()), "{refused}");
        }
    }
}
