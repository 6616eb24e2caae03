//! Parts of a configuration that several copies share until one of the copies changes.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that several copies of a configuration share. The value is copied only when one of these
/// configurations changes it. So if one line of a configuration changes, only the table of this
/// line is copied and compared.
#[derive(Clone, Debug, Default)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Whether both values share the same unchanged copy.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<A, T: FromIterator<A>> FromIterator<A> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = A>>(items: I) -> Self {
        Shared(Arc::new(items.into_iter().collect()))
    }
}

impl<'a, T> IntoIterator for &'a Shared<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&*self.0).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static LOOKS: Cell<u32> = const { Cell::new(0) };
    }

    /// A value that counts all copies and comparisons.
    #[derive(Debug, Default)]
    struct Counted(u32);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            LOOKS.set(LOOKS.get() + 1);
            Counted(self.0)
        }
    }

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            LOOKS.set(LOOKS.get() + 1);
            self.0 == other.0
        }
    }

    #[test]
    fn what_no_copy_changes_is_neither_copied_nor_compared() {
        let original: Shared<Vec<Counted>> = (0..1000).map(Counted).collect();
        let copy = original.clone();
        assert!(copy == original);
        assert_eq!(LOOKS.get(), 0);
        let mut other = original.clone();
        other[7] = Counted(8);
        assert!(other != original && copy == original);
        assert!((1000..=1010).contains(&LOOKS.get()), "copied once, compared to the difference");
    }
}
