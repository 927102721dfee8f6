//! A bounded memory of answers. It holds nothing that could not be worked out again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Answers kept in each of the two generations.
const GENERATION: usize = 512;

/// Longer questions are not remembered.
const MAX_QUESTION: usize = 4096;

type Generation<T> = HashMap<Box<[u8]>, Arc<T>>;

/// Answers by question, in two generations: when the young one is full, the old one is forgotten.
pub(crate) struct Cache<T> {
    generations: Mutex<(Generation<T>, Generation<T>)>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { generations: Mutex::new((HashMap::new(), HashMap::new())) }
    }
}

impl<T> Cache<T> {
    /// The answer to a question, worked out where it is not remembered.
    pub(crate) fn answer(&self, question: &[u8], work_out: impl FnOnce() -> T) -> Arc<T> {
        if let Some(answer) = self.recall(question) {
            return answer;
        }
        // Not under the lock: two threads may work out the same answer, neither waits for the other.
        let answer = Arc::new(work_out());
        if question.len() <= MAX_QUESTION {
            self.remember(question.into(), Arc::clone(&answer));
        }
        answer
    }

    fn recall(&self, question: &[u8]) -> Option<Arc<T>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let (young, old) = &mut *generations;
        if let Some(answer) = young.get(question) {
            return Some(Arc::clone(answer));
        }
        let (question, answer) = old.remove_entry(question)?;
        Self::insert(young, old, question, Arc::clone(&answer));
        Some(answer)
    }

    fn remember(&self, question: Box<[u8]>, answer: Arc<T>) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let (young, old) = &mut *generations;
        Self::insert(young, old, question, answer);
    }

    fn insert(young: &mut Generation<T>, old: &mut Generation<T>, question: Box<[u8]>, answer: Arc<T>) {
        if young.len() >= GENERATION {
            *old = std::mem::take(young);
        }
        young.insert(question, answer);
    }

    /// How many answers are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.0.len().saturating_add(generations.1.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_what_is_asked_again_and_stays_small() {
        let cache = Cache::default();
        let ask = |n: u32| *cache.answer(&n.to_le_bytes(), || n.wrapping_mul(7));
        for n in 0..10_000_u32 {
            assert_eq!(ask(n), n.wrapping_mul(7));
            assert_eq!(*cache.answer(&0_u32.to_le_bytes(), || panic!("asked all the time")), 0);
            assert!(cache.len() <= 1024);
        }
        assert_eq!(*cache.answer(&9_999_u32.to_le_bytes(), || 1), 69_993, "from memory");
        assert_eq!(*cache.answer(&5_u32.to_le_bytes(), || 1), 1, "forgotten");
    }

    #[test]
    fn long_questions_are_not_remembered() {
        let cache = Cache::default();
        assert_eq!(*cache.answer(&[0; 4097], || 1), 1);
        assert_eq!(*cache.answer(&[0; 4097], || 2), 2);
        assert_eq!(cache.len(), 0);
    }
}
