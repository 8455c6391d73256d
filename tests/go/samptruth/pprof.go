// SPDX-License-Identifier: BSD-2-Clause

//go:build pprof

package main

import _ "net/http/pprof"
