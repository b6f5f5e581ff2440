// The other end of a TLS connection, by Go's crypto/tls: a client that tries one handshake, or a server that takes what it is told to.
//
//	peer connect ADDRESS NAME ROOTS               prints "ok VERSION SUITE GROUP" or "no REASON"
//	peer serve ADDRESS CERTIFICATE KEY MINIMUM MAXIMUM SUITES GROUPS   versions as in 1.2, lists with commas; an empty list means Go's own
//
// The client offers every suite that Go knows and verifies the chain against the given roots.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	switch os.Args[1] {
	case "connect":
		connect(os.Args[2], os.Args[3], os.Args[4])
	case "serve":
		serve(os.Args[2:])
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func allSuites() map[string]uint16 {
	known := map[string]uint16{}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		known[suite.Name] = suite.ID
	}
	return known
}

func connect(address, name, roots string) {
	text, err := os.ReadFile(roots)
	fail(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	var suites []uint16
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		suites = append(suites, suite.ID)
	}
	raw, err := net.DialTimeout("tcp", address, 10*time.Second)
	fail(err)
	fail(raw.SetDeadline(time.Now().Add(20 * time.Second)))
	client := tls.Client(raw, &tls.Config{ServerName: name, RootCAs: pool, CipherSuites: suites, MinVersion: tls.VersionTLS10})
	if err := client.Handshake(); err != nil {
		fmt.Println("no", err)
		return
	}
	state := client.ConnectionState()
	fmt.Println("ok", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.CurveID)
}

func serve(arguments []string) {
	versions := map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	groups := map[string]tls.CurveID{
		"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384, "secp521r1": tls.CurveP521,
		"X25519MLKEM768": tls.X25519MLKEM768,
	}
	certificate, err := tls.LoadX509KeyPair(arguments[1], arguments[2])
	fail(err)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: versions[arguments[3]], MaxVersion: versions[arguments[4]]}
	for _, name := range strings.FieldsFunc(arguments[5], func(r rune) bool { return r == ',' }) {
		config.CipherSuites = append(config.CipherSuites, allSuites()[name])
	}
	for _, name := range strings.FieldsFunc(arguments[6], func(r rune) bool { return r == ',' }) {
		config.CurvePreferences = append(config.CurvePreferences, groups[name])
	}
	listener, err := net.Listen("tcp", arguments[0])
	fail(err)
	for {
		raw, err := listener.Accept()
		fail(err)
		go func() {
			defer raw.Close()
			raw.SetDeadline(time.Now().Add(20 * time.Second))
			server := tls.Server(raw, config)
			if server.Handshake() == nil {
				server.Read(make([]byte, 1))
			}
		}()
	}
}
