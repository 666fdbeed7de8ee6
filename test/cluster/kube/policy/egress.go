package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// destinations of egress rules: a match of nft for each. An empty one matches all.
func destinations(rules []networking.NetworkPolicyEgressRule) ([]string, error) {
	matches := []string{}
	for _, rule := range rules {
		peers, err := each(rule.To, peer)
		if err != nil {
			return nil, err
		}
		ports, err := each(rule.Ports, port)
		if err != nil {
			return nil, err
		}
		for _, peer := range peers {
			for _, port := range ports {
				matches = append(matches, peer+port)
			}
		}
	}
	return matches, nil
}

// each translates a list, of which an empty one means everything.
func each[T any](list []T, translate func(T) (string, bool, error)) ([]string, error) {
	if len(list) == 0 {
		return []string{""}, nil
	}
	matches := []string{}
	for _, item := range list {
		match, ok, err := translate(item)
		if err != nil {
			return nil, err
		}
		if ok {
			matches = append(matches, match)
		}
	}
	return matches, nil
}

// peer matches a block of addresses; not ok is one of IPv6, which no pod has.
func peer(peer networking.NetworkPolicyPeer) (string, bool, error) {
	if peer.IPBlock == nil || peer.PodSelector != nil || peer.NamespaceSelector != nil {
		return "", false, errors.New("a peer is no ipBlock")
	}
	block, err := netip.ParsePrefix(peer.IPBlock.CIDR)
	if err != nil || !block.Addr().Is4() {
		return "", false, err
	}
	match := &strings.Builder{}
	fmt.Fprintf(match, "ip daddr %s ", block.Masked())
	for _, except := range peer.IPBlock.Except {
		block, err := netip.ParsePrefix(except)
		if err != nil {
			return "", false, err
		}
		fmt.Fprintf(match, "ip daddr != %s ", block.Masked())
	}
	return match.String(), true, nil
}

func port(port networking.NetworkPolicyPort) (string, bool, error) {
	protocol := "tcp"
	if port.Protocol != nil {
		protocol = strings.ToLower(string(*port.Protocol))
	}
	switch {
	case protocol != "tcp" && protocol != "udp" && protocol != "sctp":
		return "", false, fmt.Errorf("there is no protocol %s", protocol)
	case port.Port == nil:
		return fmt.Sprintf("meta l4proto %s ", protocol), true, nil
	case port.Port.Type == intstr.String:
		return "", false, fmt.Errorf("port %s has no number", port.Port.StrVal)
	case port.EndPort != nil:
		return fmt.Sprintf("%s dport %d-%d ", protocol, port.Port.IntVal, *port.EndPort), true, nil
	}
	return fmt.Sprintf("%s dport %d ", protocol, port.Port.IntVal), true, nil
}
