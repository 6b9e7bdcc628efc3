//! Handles: what C holds of an object. A handle has the type of a pointer and is none: it is a number, never given twice,
//! under which a table has the object. So a handle that was closed, that belongs to something else, or that nobody ever
//! gave is refused, not followed; and what one thread closes while another one uses it lives until both are done.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    ptr::without_provenance_mut,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::error::Fault;

/// Odd, as no address of an object is.
static NEXT: AtomicUsize = AtomicUsize::new(1);
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// The objects of one kind. `H` is what C calls them.
pub(crate) struct Table<H, T> {
    /// What a handle is called in messages: `an open store`.
    name: &'static str,
    objects: RwLock<BTreeMap<usize, Arc<T>>>,
    handle: PhantomData<fn() -> H>,
}

/// How many objects all tables have.
pub(crate) fn open() -> usize {
    OPEN.load(Ordering::Relaxed)
}

impl<H, T> Table<H, T> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, objects: RwLock::new(BTreeMap::new()), handle: PhantomData }
    }

    /// Keeps an object; gives its handle.
    pub(crate) fn insert(&self, object: T) -> *mut H {
        let object = Arc::new(object);
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            let number = NEXT.fetch_add(2, Ordering::Relaxed);
            // Numbers begin again where addresses have 32 bits.
            if let std::collections::btree_map::Entry::Vacant(place) = objects.entry(number) {
                place.insert(object);
                OPEN.fetch_add(1, Ordering::Relaxed);
                return without_provenance_mut(number);
            }
        }
    }

    /// The object of a handle.
    pub(crate) fn get(&self, handle: *const H) -> Result<Arc<T>, Fault> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(&handle.addr()).map(Arc::clone).ok_or_else(|| self.unknown(handle))
    }

    /// Gives up a handle; `None` for NULL.
    pub(crate) fn remove(&self, handle: *mut H) -> Result<Option<Arc<T>>, Fault> {
        if handle.is_null() {
            return Ok(None);
        }
        let removed = self.objects.write().unwrap_or_else(PoisonError::into_inner).remove(&handle.addr());
        let removed = removed.ok_or_else(|| self.unknown(handle))?;
        OPEN.fetch_sub(1, Ordering::Relaxed);
        Ok(Some(removed))
    }

    fn unknown(&self, handle: *const H) -> Fault {
        match handle.is_null() {
            true => Fault::argument(format!("NULL is not {}", self.name)),
            false => Fault::handle(format!("the handle is not {}", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{TS_INVALID_ARGUMENT, TS_INVALID_HANDLE};

    struct Thing;
    static TABLE: Table<Thing, u32> = Table::new("a thing");
    static OTHERS: Table<Thing, u32> = Table::new("another thing");

    #[test]
    fn what_is_no_handle_any_more_or_never_was_is_refused() {
        let handle = TABLE.insert(7);
        assert_eq!(TABLE.get(handle).map(|number| *number).ok(), Some(7));
        let held = TABLE.get(handle).ok();
        assert!(TABLE.remove(handle).is_ok_and(|removed| removed.is_some()));
        assert_eq!(held.as_deref(), Some(&7));
        for foreign in [handle, OTHERS.insert(8), without_provenance_mut(4096)] {
            assert_eq!(TABLE.get(foreign).map_err(|fault| fault.code), Err(TS_INVALID_HANDLE));
            assert_eq!(TABLE.remove(foreign).map(drop).map_err(|fault| fault.code), Err(TS_INVALID_HANDLE));
        }
        let null = std::ptr::null_mut();
        assert_eq!(TABLE.get(null).map_err(|fault| fault.code), Err(TS_INVALID_ARGUMENT));
        assert!(TABLE.remove(null).is_ok_and(|removed| removed.is_none()));
    }

    #[test]
    fn threads_get_handles_of_their_own() {
        let numbers = || (0..1_000).map(|number| TABLE.insert(number).addr()).collect::<Vec<_>>();
        let mut all: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(numbers)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4_000);
    }
}
