// A vCenter as govmomi's simulator plays one: a datacenter DC0 with datastores LocalDS_0 and
// LocalDS_1, whose files are directories in the system's directory of temporary files.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"log"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	user := flag.String("user", "", "who may log in")
	password := flag.String("password", "", "and with what")
	certificate := flag.String("certificate", "", "the file that the server's certificate is written to")
	address := flag.String("address", "", "the file that its host and port are written to, at last")
	flag.Parse()

	vcenter := simulator.VPX()
	vcenter.Datastore, vcenter.Host, vcenter.Cluster, vcenter.Machine = 2, 1, 0, 0
	must(vcenter.Create())
	defer vcenter.Remove()
	vcenter.Service.TLS = &tls.Config{Certificates: []tls.Certificate{identity()}}
	vcenter.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(*user, *password)}
	server := vcenter.Service.NewServer()
	defer server.Close()

	block := pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	must(os.WriteFile(*certificate, pem.EncodeToMemory(&block), 0o644))
	must(os.WriteFile(*address, []byte(server.URL.Host), 0o644))

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}

// A certificate of its own: the simulator's has a key that OpenSSL takes for too weak.
func identity() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	now := time.Now()
	template := x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	must(err)
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
