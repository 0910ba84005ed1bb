// Command dummy is the one program in the laboratory's images: a process that starts, serves and ends as its environment
// says, so that a real engine has something to start, stop, kill and bring back.
//
//	DUMMY_LOG         file that gets a line "start", "term" or "exit:CODE" each, after the process is ready for signals
//	DUMMY_EXIT        exit with this code right after the start
//	DUMMY_STOP_TAKES  pause between SIGTERM and the end, Go duration; "never" ignores SIGTERM
//	DUMMY_STOP_CODE   exit code after SIGTERM, default 0
//	DUMMY_CRASH_CODE  exit code after SIGUSR1, default 3
//	DUMMY_LISTEN      loopback address that answers every HTTP request with 200
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	code := run()
	note("exit:" + strconv.Itoa(code))
	os.Exit(code) //nolint:forbidigo // this is the main of a container
}

// run lives until it is told to end, and returns the exit code.
func run() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1)
	if addr := os.Getenv("DUMMY_LISTEN"); addr != "" {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
		if err != nil {
			fmt.Fprintln(os.Stderr, "dummy:", err)
			return 1
		}
		go serve(l)
	}
	note("start")
	if os.Getenv("DUMMY_EXIT") != "" {
		return number("DUMMY_EXIT", 1)
	}
	var end <-chan time.Time
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGUSR1 {
				return number("DUMMY_CRASH_CODE", 3)
			}
			note("term")
			if takes := os.Getenv("DUMMY_STOP_TAKES"); end == nil && takes != "never" {
				d, _ := time.ParseDuration(cmp.Or(takes, "0s"))
				end = time.NewTimer(d).C
			}
		case <-end:
			return number("DUMMY_STOP_CODE", 0)
		}
	}
}

// serve answers the first request of each connection. It speaks just enough HTTP to do without net/http, which would make
// the program four times as large and as slow to build.
func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			for r := bufio.NewReader(c); ; {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if strings.TrimSpace(line) == "" {
					break
				}
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
		}()
	}
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func note(line string) {
	fmt.Fprintln(os.Stdout, line)
	path := os.Getenv("DUMMY_LOG")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(f, line)
		_ = f.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dummy:", err)
	}
}
