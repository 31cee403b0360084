// Fetches a secret from Keyturn with Go's standard library:  go run . ASSET ACCOUNT [--show]
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

const route = "/api/v1/accounts/integration-applications/account-secret/"

type answer struct {
	Secret  string `json:"secret"`
	Version int    `json:"version"`
	Code    string `json:"code"`
}

type client struct {
	url, keyID, secret, organization string
	http                             http.Client
}

// 1. Load credentials.
func load() (*client, error) {
	c := &client{url: strings.TrimRight(os.Getenv("KEYTURN_URL"), "/"), keyID: os.Getenv("KEYTURN_KEY_ID"),
		secret: os.Getenv("KEYTURN_KEY_SECRET"), organization: os.Getenv("KEYTURN_ORG")}
	if !strings.HasPrefix(c.url, "https://") || c.keyID == "" || c.secret == "" {
		return nil, fmt.Errorf("KEYTURN_URL (https), KEYTURN_KEY_ID and KEYTURN_KEY_SECRET must be set")
	}
	if c.organization == "" {
		c.organization = "00000000-0000-0000-0000-000000000002"
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := os.Getenv("KEYTURN_CA"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		trust.RootCAs = x509.NewCertPool()
		trust.RootCAs.AppendCertsFromPEM(pem)
	}
	c.http = http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: trust},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// 2. Sign the request exactly as it is sent.
func (c *client) sign(request *http.Request) {
	date := time.Now().UTC().Format(http.TimeFormat)
	text := "(request-target): get " + request.URL.RequestURI() + "\naccept: application/json\ndate: " + date +
		"\nx-jms-org: " + c.organization
	code := hmac.New(sha256.New, []byte(c.secret))
	code.Write([]byte(text))
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Date", date)
	request.Header.Set("X-JMS-ORG", c.organization)
	request.Header.Set("X-Source", "jms-pam")
	request.Header.Set("Authorization", fmt.Sprintf(`Signature keyId="%s",algorithm="hmac-sha256",`+
		`headers="(request-target) accept date x-jms-org",signature="%s"`,
		c.keyID, base64.StdEncoding.EncodeToString(code.Sum(nil))))
}

// 3. Fetch one secret. The error is a refusal with its status and code, or a broken connection.
func (c *client) fetch(asset, account string) (answer, error) {
	query := url.Values{"asset": {asset}, "account": {account}}.Encode()
	request, err := http.NewRequest("GET", c.url+route+"?"+strings.ReplaceAll(query, "+", "%20"), nil)
	if err != nil {
		return answer{}, err
	}
	c.sign(request)
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	var got answer
	err = json.NewDecoder(response.Body).Decode(&got)
	if response.StatusCode != 200 {
		if got.Code == "" {
			got.Code = "none"
		}
		return got, fmt.Errorf("status %d, code %s", response.StatusCode, got.Code)
	}
	return got, err
}

func describe(got answer) {
	fmt.Printf("fetched: version %d, %d characters, sha256 %.4x\n",
		got.Version, utf8.RuneCountInString(got.Secret), sha256.Sum256([]byte(got.Secret)))
	if len(os.Args) > 3 && os.Args[3] == "--show" {
		fmt.Println(got.Secret)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 3 {
		check(fmt.Errorf("usage: ASSET ACCOUNT [--show]"))
	}
	c, err := load()
	check(err)
	first, err := c.fetch(os.Args[1], os.Args[2])
	check(err)
	describe(first)

	// 4. A refusal is an answer like any other.
	if _, err := c.fetch(os.Args[1], "no-such-account"); err != nil {
		fmt.Println("refused:", err)
	}

	// 5. Nothing is cached: the next fetch sees the new secret.
	fmt.Println("change the secret now, then press Enter")
	bufio.NewReader(os.Stdin).ReadString('\n')
	second, err := c.fetch(os.Args[1], os.Args[2])
	check(err)
	describe(second)
	fmt.Println("changed:", map[bool]string{true: "yes", false: "no"}[second.Version != first.Version])
}
