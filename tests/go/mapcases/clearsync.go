// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.23

package main

func (s *sessions) reset() { s.Map.Clear() }
