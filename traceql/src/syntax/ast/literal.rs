//! Constants in a query.

/// A constant. There are no negative literals: `-` is an operator.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text, escapes resolved.
    String(String),
    /// A 64-bit integer (`minInt` and `maxInt` included).
    Int(i64),
    /// A finite float.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// Nanoseconds.
    Duration(i64),
    /// A status word.
    Status(Status),
    /// A span kind word.
    Kind(Kind),
}

/// The status words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// `unset`, OTLP's 0.
    Unset,
    /// `ok`, OTLP's 1.
    Ok,
    /// `error`, OTLP's 2.
    Error,
}

/// The span kind words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `unspecified`, OTLP's 0.
    Unspecified,
    /// `internal`, OTLP's 1.
    Internal,
    /// `server`, OTLP's 2.
    Server,
    /// `client`, OTLP's 3.
    Client,
    /// `producer`, OTLP's 4.
    Producer,
    /// `consumer`, OTLP's 5.
    Consumer,
}

impl Status {
    /// OTLP's number.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Unset => 0,
            Self::Ok => 1,
            Self::Error => 2,
        }
    }
}

impl Kind {
    /// OTLP's number.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Unspecified => 0,
            Self::Internal => 1,
            Self::Server => 2,
            Self::Client => 3,
            Self::Producer => 4,
            Self::Consumer => 5,
        }
    }
}
