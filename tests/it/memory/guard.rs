//! Memory that ends, or begins, where nothing may be touched: a step too far is a fault of the processor.
//!
//! What must stay true: a fence is pages of which nothing may be read or written; what is handed out ends
//! flush before one, or begins flush behind one, as far as its alignment lets it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which end of the memory lies at a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    Front,
    Back,
}

impl Flush {
    pub const BOTH: [Flush; 2] = [Flush::Front, Flush::Back];
}

/// Numbers at a fence.
pub struct Guarded<T: Copy> {
    pages: Pages,
    start: *mut T,
    length: usize,
}

impl<T: Copy> Guarded<T> {
    pub fn new(values: &[T], flush: Flush) -> Guarded<T> {
        let size = size_of_val(values);
        let pages = Pages::new(size);
        let offset = if flush == Flush::Front { 0 } else { pages.room - size };
        // SAFETY: the room is mapped for reading and writing, and `offset + size` is at most its length;
        // both its ends are aligned to a page, and `size` is a multiple of that of `T`.
        let start = unsafe {
            let start = pages.inside().add(offset).cast::<T>();
            ptr::copy_nonoverlapping(values.as_ptr(), start, values.len());
            start
        };
        Guarded { pages, start, length: values.len() }
    }
}

impl<T: Copy> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        debug_assert!(self.pages.room >= self.length * size_of::<T>());
        // SAFETY: `new` wrote so many values there, and the pages live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

impl<T: Copy> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; nobody else has the address.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

/// Pages between two fences; unmapped when dropped.
struct Pages {
    start: *mut u8,
    room: usize,
}

/// Bytes of a page; a multiple of the machine's.
const PAGE: usize = 1 << 16;

impl Pages {
    fn new(size: usize) -> Pages {
        let room = size.next_multiple_of(PAGE).max(PAGE);
        // SAFETY: a new mapping of no file, at an address of the system's choice.
        let start = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            libc::mmap(ptr::null_mut(), room + 2 * PAGE, libc::PROT_NONE, flags, -1, 0)
        };
        assert_ne!(start, libc::MAP_FAILED, "no memory for {size} bytes between fences");
        let pages = Pages { start: start.cast(), room };
        // SAFETY: the pages between the first and the last are this mapping's own.
        let opened =
            unsafe { libc::mprotect(pages.inside().cast(), room, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(opened, 0, "the pages cannot be opened");
        pages
    }

    fn inside(&self) -> *mut u8 {
        self.start.wrapping_add(PAGE)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: this mapping is nobody else's, and its length is that it was made with.
        unsafe { libc::munmap(self.start.cast(), self.room + 2 * PAGE) };
    }
}

/// The system's allocator, which hands out memory at fences while a thread asks for it: for what
/// kernels allocate themselves.
pub struct Fenced;

thread_local! {
    static FLUSH: Cell<Option<Flush>> = const { Cell::new(None) };
}

/// Runs `act` with all that this thread allocates at fences.
pub fn fenced<T>(flush: Flush, act: impl FnOnce() -> T) -> T {
    reserve();
    let before = FLUSH.replace(Some(flush));
    let result = act();
    FLUSH.set(before);
    result
}

/// Addresses set aside for memory at fences; each is handed out once.
const SPACE: usize = 1 << 36;
static BASE: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

/// Sets the addresses aside, once.
fn reserve() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a new mapping of no file, at an address of the system's choice, of no memory yet.
        let start = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            libc::mmap(ptr::null_mut(), SPACE, libc::PROT_NONE, flags, -1, 0)
        };
        assert_ne!(start, libc::MAP_FAILED, "no addresses for fences");
        BASE.store((start as usize).next_multiple_of(PAGE), Ordering::Release);
    });
}

fn is_fenced(start: *mut u8) -> bool {
    let base = BASE.load(Ordering::Acquire);
    base != 0 && (base..base + SPACE).contains(&(start as usize))
}

/// Memory between fences; null where the addresses are used up.
fn at_fence(layout: Layout, flush: Flush) -> *mut u8 {
    let room = layout.size().next_multiple_of(PAGE).max(PAGE);
    let used = USED.fetch_add(room + PAGE, Ordering::Relaxed);
    if used + room + 2 * PAGE > SPACE {
        return ptr::null_mut();
    }
    let start = (BASE.load(Ordering::Acquire) + used + PAGE) as *mut u8;
    let offset =
        if flush == Flush::Front { 0 } else { (room - layout.size()) / layout.align() * layout.align() };
    // SAFETY: these pages are inside the addresses set aside, and handed out only now.
    match unsafe { libc::mprotect(start.cast(), room, libc::PROT_READ | libc::PROT_WRITE) } {
        0 => start.wrapping_add(offset),
        _ => ptr::null_mut(),
    }
}

/// Gives the memory back to the system, and makes a fence of its addresses for good.
fn close(start: *mut u8, layout: Layout) {
    let first = start as usize / PAGE * PAGE;
    let room = (start as usize + layout.size()).next_multiple_of(PAGE).max(first + PAGE) - first;
    // SAFETY: `at_fence` opened these pages for this allocation only, which ends here.
    unsafe {
        libc::madvise(first as *mut _, room, libc::MADV_DONTNEED);
        libc::mprotect(first as *mut _, room, libc::PROT_NONE);
    }
}

// SAFETY: memory is the system's, or of pages of its own: aligned, as large as asked for, and given back
// the way it came, as its address tells.
unsafe impl GlobalAlloc for Fenced {
    // SAFETY: the contract of `GlobalAlloc`.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match FLUSH.try_with(Cell::get).ok().flatten() {
            Some(flush) if layout.align() <= PAGE => at_fence(layout, flush),
            // SAFETY: passed on as it came.
            _ => unsafe { System.alloc(layout) },
        }
    }

    // SAFETY: the contract of `GlobalAlloc`.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match FLUSH.try_with(Cell::get).ok().flatten() {
            // New pages are zero.
            Some(flush) if layout.align() <= PAGE => at_fence(layout, flush),
            // SAFETY: passed on as it came.
            _ => unsafe { System.alloc_zeroed(layout) },
        }
    }

    // SAFETY: the contract of `GlobalAlloc`.
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if is_fenced(start) {
            close(start, layout);
        } else {
            // SAFETY: passed on as it came.
            unsafe { System.dealloc(start, layout) }
        }
    }

    // SAFETY: the contract of `GlobalAlloc`.
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_fenced(start) {
            // SAFETY: passed on as it came; it stays where it was, at no fence.
            return unsafe { System.realloc(start, layout, size) };
        }
        // SAFETY: a new piece of memory of the same alignment, filled with what fits of the old one,
        // which is given back.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(start, moved, layout.size().min(size));
                self.dealloc(start, layout);
            }
            moved
        }
    }
}
