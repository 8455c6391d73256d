// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.23

package main

import "sync"

func (s *sessions) reset() { s.Map = new(sync.Map) }
