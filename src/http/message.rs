//! Requests and responses as plain values, free of any HTTP library's types.

use std::fmt;
use std::fs::File;
use std::net::SocketAddr;

/// What a client wants done with a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `HEAD`: answered as `GET`; the gate leaves the body out
    Head,
    /// `OPTIONS`
    Options,
    /// Any other method, as it was sent: methods are case-sensitive, so `get` is one of these.
    Other(String),
}

impl Method {
    /// The method of that name.
    pub fn parse(name: &str) -> Method {
        match name {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            "HEAD" => Method::Head,
            "OPTIONS" => Method::Options,
            other => Method::Other(other.to_owned()),
        }
    }

    /// The name as it is sent.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
            Method::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One complete request that the gate has checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Our own unique id, `req_` and 26 characters, answered as `X-Request-Id`. One that a client sends is
    /// dropped: it could be forged to blur the log.
    pub id: String,
    /// The method.
    pub method: Method,
    /// The path as it was sent: percent-encoded ASCII, begins with `/`, without the query.
    pub path: String,
    /// What follows the first `?` of the target, as it was sent; empty without one.
    pub query: String,
    /// Names in lower case, values in ASCII, in the order they were sent, without the headers that concern
    /// only the connection.
    pub headers: Vec<(String, String)>,
    /// The whole body, any chunking undone.
    pub body: Vec<u8>,
    /// The other end of the TCP connection, which may be a proxy.
    pub peer: SocketAddr,
}

impl Request {
    /// The first value of the header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What a response carries.
#[derive(Debug)]
pub enum Body {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A file, streamed from where it stands.
    File {
        /// The open file.
        file: File,
        /// How much of it to send, in bytes. With less than that in the file, the connection is cut, so that
        /// a client never takes a short copy for a whole one.
        length: u64,
    },
}

impl Body {
    /// The length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File { length, .. } => *length,
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One answer.
#[derive(Debug)]
pub struct Response {
    /// From 200 to 599; anything else is a bug and is answered as 500.
    pub status: u16,
    /// Names and values in visible ASCII. Those that frame the message (`Content-Length`, `Connection`,
    /// `Transfer-Encoding`) and `X-Request-Id` are the gate's affair, and ignored here.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl Response {
    /// An answer of these bytes.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Response { status, headers, body: Body::Bytes(body.into()) }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Response {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
