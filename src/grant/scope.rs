//! Which scopes permit an exchange.

/// Whether one of `scopes` permits to exchange a grant for the credential of `service`: any of
/// `*`, `S:*`, `S:read`, `S:credentials:read`, `vault:S:*`, `vault:S:read` and
/// `vault:credentials:exchange`, where S is the service, all compared without case.
///
/// ```
/// use grant_vault::grant::scope::permits;
///
/// assert!(permits(["github:read"], "GitHub"));
/// assert!(!permits(["github:write", "slack:*"], "github"));
/// ```
pub fn permits<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>, service: &str) -> bool {
    scopes.into_iter().any(|scope| scope_permits(scope.as_ref(), service))
}

/// The first of `scopes` that permits it, for the audit.
pub fn rule<'a>(scopes: &'a [String], service: &str) -> Option<&'a str> {
    scopes.iter().map(String::as_str).find(|scope| scope_permits(scope, service))
}

/// The scopes that permit an exchange for `service`, narrowest last; any one of them does.
pub fn permitting(service: &str) -> [String; 7] {
    [
        "*".to_owned(),
        "vault:credentials:exchange".to_owned(),
        format!("{service}:*"),
        format!("vault:{service}:*"),
        format!("{service}:read"),
        format!("vault:{service}:read"),
        format!("{service}:credentials:read"),
    ]
}

fn scope_permits(scope: &str, service: &str) -> bool {
    let mut parts = [""; 3];
    let mut count = 0;
    for (place, part) in parts.iter_mut().zip(scope.split(':')) {
        *place = part;
        count += 1;
    }
    if scope.split(':').count() > count {
        return false;
    }
    let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
    let [first, second, third] = parts;
    match count {
        1 => first == "*",
        2 => is(first, service) && (second == "*" || is(second, "read")),
        _ => {
            (is(first, service) && is(second, "credentials") && is(third, "read"))
                || (is(first, "vault") && is(second, service) && (third == "*" || is(third, "read")))
                || (is(first, "vault") && is(second, "credentials") && is(third, "exchange"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permitting_form_in_any_case() {
        for scope in [
            "*",
            "github:*",
            "github:read",
            "github:credentials:read",
            "vault:github:*",
            "vault:github:read",
            "vault:credentials:exchange",
        ] {
            assert!(permits([scope], "GitHub"), "{scope}");
            assert!(permits([scope.to_uppercase()], "github"), "{scope}");
            assert!(permits(["slack:read", scope], "github"), "{scope}");
        }
    }

    #[test]
    fn each_scope_that_is_named_as_permitting_does() {
        for scope in permitting("GitHub") {
            assert!(permits([&scope], "github"), "{scope}");
        }
    }

    #[test]
    fn the_rule_is_the_first_that_permits() {
        let scopes = ["slack:*", "GitHub:Read", "*"].map(str::to_owned);
        assert_eq!(rule(&scopes, "github"), Some("GitHub:Read"));
        assert_eq!(rule(&scopes[..1], "github"), None);
    }

    #[test]
    fn nothing_else_permits() {
        for scope in [
            "",
            "github",
            "github:",
            "github:write",
            "github:readonly",
            "github:read:x",
            "github:read ",
            " github:read",
            "githubx:read",
            "slack:read",
            "slack:*",
            "*:read",
            "*:*",
            "vault:*",
            "vault:*:*",
            "vault:*:read",
            "vault:read",
            "vault:github",
            "vault:github:write",
            "vault:github:read:x",
            "vault:credentials:read",
            "vault:credentials:*",
            "github:credentials:*",
            "github:credentials",
            "github:credentials:write",
            ":github:read",
            "github::read",
        ] {
            assert!(!permits([scope], "github"), "{scope}");
        }
        assert!(!permits([""; 0], "github"));
    }

    /// A service may be called like a word of the grammar.
    #[test]
    fn odd_services_gain_nothing() {
        assert!(!permits(["vault:github:read"], "vault"));
        assert!(permits(["vault:read"], "vault"));
        assert!(permits(["vault:credentials:read"], "credentials"));
        assert!(permits(["vault:credentials:read"], "vault"));
    }
}
