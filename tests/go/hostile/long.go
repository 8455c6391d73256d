// SPDX-License-Identifier: BSD-2-Clause

package main

// Long is written anew by tests/live/hostile.t, with names of 60,000 letters.
func long() {}
