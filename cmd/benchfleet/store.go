package main

import (
	"fmt"
	"strings"

	"portico/cmd/internal/fleet"
)

// asked are the commands by which a replica asks the store for what a request needs. Commands within
// scripts are others, and are not calls.
var asked = []string{"evalsha", "eval", "get", "set", "del", "publish"}

// storeCalls returns how often the store was asked while f ran, 0 if there is none.
func storeCalls(f *fleet.Fleet, what func() error) (int, error) {
	if f.Store == nil {
		return 0, what()
	}
	before, err := callsSoFar(f.Store)
	if err != nil {
		return 0, err
	}
	err = what()
	if err != nil {
		return 0, err
	}
	after, err := callsSoFar(f.Store)
	return after - before, err
}

func callsSoFar(s *fleet.Store) (int, error) {
	said, err := s.Command("INFO", "commandstats")
	if err != nil {
		return 0, err
	}
	return countCalls(said), nil
}

// countCalls adds up the calls that the store tells of.
func countCalls(said string) int {
	sum := 0
	for line := range strings.Lines(said) {
		for _, command := range asked {
			var n int
			_, err := fmt.Sscanf(line, "cmdstat_"+command+":calls=%d", &n)
			if err == nil {
				sum += n
			}
		}
	}
	return sum
}
