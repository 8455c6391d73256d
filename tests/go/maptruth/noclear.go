// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.21

package main

func clearBuiltin(m map[string]*User)   { clearIdiom(m) }
func clearByReflect(m map[string]*User) { clearIdiom(m) }
func clearNaN(int)                      {}
func clearNil(int)                      {}
