// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// goload does with Debian's golang-github-cilium-ebpf-dev what programs written in Go do with cilium/ebpf:
//
//	goload probe       finds out what the kernel can do: a line for each program type, map type, helper and other feature
//	goload load FILE   loads the object as one collection; "name=N errno=0 tag=T" for each program, or "errno=E error=..."
//
// Exit status 0 when all went well, 1 when the object was not loaded, 2 for wrong usage.
package main

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/rlimit"
)

func say(err error) string {
	switch {
	case err == nil:
		return "available"
	case errors.Is(err, ebpf.ErrNotSupported):
		return "not supported"
	default:
		return err.Error()
	}
}

func probe() {
	for t := ebpf.SocketFilter; t <= t.Max(); t++ {
		fmt.Printf("program type %s: %s\n", t, say(features.HaveProgramType(t)))
	}
	for t := ebpf.Hash; t <= t.Max(); t++ {
		fmt.Printf("map type %s: %s\n", t, say(features.HaveMapType(t)))
	}
	// All helpers in all program types are some 6,000 loads; these types have nearly every helper between them.
	for _, t := range []ebpf.ProgramType{ebpf.SocketFilter, ebpf.Kprobe, ebpf.SchedCLS, ebpf.XDP, ebpf.CGroupSKB, ebpf.SockOps} {
		for h := asm.FnMapLookupElem; h <= h.Max(); h++ {
			fmt.Printf("helper %s in %s: %s\n", h, t, say(features.HaveProgramHelper(t, h)))
		}
	}
	fmt.Printf("large programs: %s\n", say(features.HaveLargeInstructions()))
	fmt.Printf("bounded loops: %s\n", say(features.HaveBoundedLoops()))
	fmt.Printf("instruction set v2: %s\n", say(features.HaveV2ISA()))
	fmt.Printf("instruction set v3: %s\n", say(features.HaveV3ISA()))
}

func load(path string) int {
	coll, err := ebpf.LoadCollection(path)
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		fmt.Printf("errno=%d error=%q\n", int(errno), err.Error())
		return 1
	}
	defer coll.Close()
	names := []string{}
	for name := range coll.Programs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		info, err := coll.Programs[name].Info()
		if err != nil {
			fmt.Printf("name=%s error=%q\n", name, err.Error())
			return 1
		}
		fmt.Printf("name=%s errno=0 tag=%s\n", name, info.Tag)
	}
	return 0
}

func main() {
	if err := rlimit.RemoveMemlock(); err != nil {
		fmt.Fprintf(os.Stderr, "goload: locked memory: %s\n", err)
	}
	switch {
	case len(os.Args) == 2 && os.Args[1] == "probe":
		probe()
	case len(os.Args) == 3 && os.Args[1] == "load":
		os.Exit(load(os.Args[2]))
	default:
		fmt.Fprintln(os.Stderr, "Usage: goload probe | goload load FILE.o")
		os.Exit(2)
	}
}
