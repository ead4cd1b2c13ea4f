package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// loopBody is what a reader of loop gets, in bytes: as much as the catalogue.
const loopBody = 7000

// loop answers a crowd as fast as a program in Go can: who asks is answered a while after the first of all, by one
// loop that writes a finished answer to each. It reads nothing of what it is asked.
func loop(s settings) error {
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", loopBody, make([]byte, loopBody))
	var mu sync.Mutex
	var waiting []net.Conn // guarded by mu
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			_, err := conn.Read(make([]byte, 1<<10))
			if err != nil { // whoever asks whether it serves yet
				_ = conn.Close()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			waiting = append(waiting, conn)
			if len(waiting) > 1 {
				return
			}
			time.AfterFunc(s.takes, func() {
				mu.Lock()
				defer mu.Unlock()
				for _, one := range waiting {
					_, _ = one.Write(answer)
				}
				waiting = nil
			})
		}()
	}
}
