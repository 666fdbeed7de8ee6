// Package nft hands scripts to the kernel's packet filter.
package nft

import (
	"fmt"
	"os/exec"
	"strings"
)

// Apply runs a script as one transaction.
func Apply(script string) error {
	command := exec.Command("nft", "-f", "-")
	command.Stdin = strings.NewReader(script)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, output)
	}
	return nil
}
