//! Structs that cross the boundary and may grow: their first member is their size as the caller knows it. Program and
//! library need not be of one age: what only one of them knows is 0, which always means "as if it were not there".

use std::{mem::MaybeUninit, ptr};

use crate::error::Fault;

/// Larger structs are garbage.
const MAX_SIZE: usize = 4096;

/// A struct of numbers and pointers.
///
/// # Safety
/// `repr(C)`, without padding; the first member is a `usize`, the size in bytes; any bytes are a valid value.
pub(crate) unsafe trait Sized {}

fn size_of_callers<T>(pointer: *const T, name: &str) -> Result<usize, Fault> {
    if !pointer.is_aligned() {
        return Err(Fault::argument(format!("`{name}` is not aligned")));
    }
    // SAFETY: aligned, and by the caller's word a struct that begins with its size.
    let size = unsafe { pointer.cast::<usize>().read() };
    if !(size_of::<usize>()..=MAX_SIZE).contains(&size) || !size.is_multiple_of(align_of::<T>()) {
        return Err(Fault::argument(format!("`{name}->size` is {size}: it is to be set to sizeof *{name}")));
    }
    Ok(size)
}

/// The caller's options; all 0 where there are none.
pub(crate) unsafe fn read<T: Sized>(pointer: *const T, name: &str) -> Result<T, Fault> {
    let mut options = MaybeUninit::<T>::zeroed();
    if !pointer.is_null() {
        let size = size_of_callers(pointer, name)?;
        let (known, from) = (size.min(size_of::<T>()), pointer.cast::<u8>());
        for place in known..size {
            // SAFETY: within the caller's struct.
            if unsafe { from.add(place).read() } != 0 {
                return Err(Fault::argument(format!("`{name}` asks for what this library does not know yet")));
            }
        }
        // SAFETY: `known` bytes are within both structs.
        unsafe { ptr::copy_nonoverlapping(from, options.as_mut_ptr().cast(), known) };
    }
    // SAFETY: any bytes are a valid value.
    Ok(unsafe { options.assume_init() })
}

/// Where a result of a size that may be another one goes.
pub(crate) struct SizedOut<T> {
    pointer: *mut T,
    size: usize,
}

impl<T: Sized> SizedOut<T> {
    /// `None` for NULL.
    pub(crate) unsafe fn optional(pointer: *mut T, name: &str) -> Result<Option<Self>, Fault> {
        if pointer.is_null() {
            return Ok(None);
        }
        let size = size_of_callers(pointer.cast_const(), name)?;
        Ok(Some(Self { pointer, size }))
    }

    pub(crate) unsafe fn required(pointer: *mut T, name: &str) -> Result<Self, Fault> {
        // SAFETY: the caller's word is passed on.
        unsafe { Self::optional(pointer, name) }?.ok_or_else(|| Fault::argument(format!("`{name}` is NULL")))
    }

    /// Writes what the caller knows of it, the size excepted.
    pub(crate) fn put(&self, value: &T) {
        let known = self.size.min(size_of::<T>());
        let (from, to) = (ptr::from_ref(value).cast::<u8>(), self.pointer.cast::<u8>());
        let skipped = size_of::<usize>();
        // SAFETY: both structs have `known` bytes, at least those of the size; the caller's can be written to.
        unsafe {
            ptr::copy_nonoverlapping(from.add(skipped), to.add(skipped), known - skipped);
            ptr::write_bytes(to.add(known), 0, self.size - known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Newer {
        size: usize,
        old: u64,
        new: u64,
    }
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Older {
        size: usize,
        old: u64,
    }
    // SAFETY: numbers without padding, the size first.
    unsafe impl Sized for Newer {}
    // SAFETY: the same.
    unsafe impl Sized for Older {}

    #[test]
    fn structs_of_other_ages_are_understood() {
        let older = Older { size: size_of::<Older>(), old: 7 };
        // SAFETY: the struct has the size that it names.
        let read_newer = unsafe { read::<Newer>((&raw const older).cast(), "x") }.unwrap();
        assert_eq!((read_newer.old, read_newer.new), (7, 0));
        let mut newer = Newer { size: size_of::<Newer>(), old: 8, new: 0 };
        // SAFETY: the same.
        assert_eq!(unsafe { read::<Older>((&raw const newer).cast(), "x") }.unwrap().old, 8);
        newer.new = 1;
        // SAFETY: the same.
        assert!(unsafe { read::<Older>((&raw const newer).cast(), "x") }.is_err());
        // SAFETY: the same.
        let out = unsafe { SizedOut::<Older>::required((&raw mut newer).cast(), "x") }.unwrap();
        out.put(&Older { size: 99, old: 9 });
        assert_eq!(newer, Newer { size: size_of::<Newer>(), old: 9, new: 0 });
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for size in [0, 7, 12, 1 << 20] {
            let newer = Newer { size, old: 0, new: 0 };
            // SAFETY: the size is all that is read of it.
            assert!(unsafe { read(&raw const newer, "x") }.is_err());
        }
        // SAFETY: NULL stands for no options.
        assert_eq!(unsafe { read::<Older>(ptr::null(), "x") }.unwrap(), Older { size: 0, old: 0 });
    }
}
