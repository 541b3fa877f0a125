//! What an isolate remembers between requests, within bounds.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps a value, in a map of at most `most`. When it is full it starts over: now and then that is as
/// good as picking which to forget, and simpler.
pub fn keep<K: Eq + Hash, V>(map: &mut HashMap<K, V>, most: usize, key: K, value: V) {
    if map.len() >= most {
        map.clear();
    }
    map.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_holds_more_than_it_may_and_always_the_last() {
        let mut map = HashMap::new();
        for number in 0..10 {
            keep(&mut map, 3, number, ());
            assert!(map.len() <= 3 && map.contains_key(&number));
        }
    }
}
