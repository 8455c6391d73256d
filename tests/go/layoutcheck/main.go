// SPDX-License-Identifier: BSD-2-Clause

// Layoutcheck prints, from the DWARF of an executable, where the fields of the runtime's structures
// are: lines of "TYPE.FIELD OFFSET" (nested fields with dots) and "TYPE SIZE".
//
// Usage: layoutcheck EXECUTABLE TYPE...
package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
)

func die(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "layoutcheck:", err)
		os.Exit(1)
	}
}

// fields prints the offsets of a structure's fields, and of those of structures inside it.
func fields(prefix string, base int64, t *dwarf.StructType) {
	for _, f := range t.Field {
		name, at := prefix+"."+f.Name, base+f.ByteOffset
		fmt.Println(name, at)
		inner := f.Type
		for {
			td, ok := inner.(*dwarf.TypedefType)
			if !ok {
				break
			}
			inner = td.Type
		}
		if s, ok := inner.(*dwarf.StructType); ok && s.Kind == "struct" {
			fields(name, at, s)
		}
	}
}

func main() {
	file, err := elf.Open(os.Args[1])
	die(err)
	data, err := file.DWARF()
	die(err)

	wanted := map[string]bool{}
	for _, name := range os.Args[2:] {
		wanted[name] = true
	}
	for r := data.Reader(); ; {
		e, err := r.Next()
		die(err)
		if e == nil {
			break
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		if e.Tag != dwarf.TagStructType || !wanted[name] {
			continue
		}
		delete(wanted, name)
		t, err := data.Type(e.Offset)
		die(err)
		fmt.Println(name, t.Size())
		fields(name, 0, t.(*dwarf.StructType))
	}
	for name := range wanted {
		die(fmt.Errorf("no type %s", name))
	}
}
