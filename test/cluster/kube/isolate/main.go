// A CNI plugin that is chained after the bridge. It leads a pod's packets, from the very first one, into
// the nftables chains of the pod's namespace. What these chains say is netpol's business.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"

	"vivarium/test/cluster/kube/nft"
)

func main() {
	skel.PluginMainFuncs(skel.CNIFuncs{Add: add, Del: del}, version.All, "isolate")
}

func add(args *skel.CmdArgs) error {
	result, err := previous(args)
	if err != nil {
		return err
	}
	if result == nil {
		return errors.New("isolate must be chained after the plugin that gives the address")
	}
	namespace, err := namespaceOf(args)
	if err != nil {
		return err
	}
	script := fmt.Sprintf("add chain inet netpol from_%[1]s\nadd chain inet netpol to_%[1]s\n", namespace)
	for _, ip := range result.IPs {
		for _, direction := range []string{"from", "to"} {
			script += fmt.Sprintf("add element inet netpol %[1]s { %[2]s : jump %[1]s_%[3]s }\n",
				direction, ip.Address.IP, namespace)
		}
	}
	if err := nft.Apply(script); err != nil {
		return err
	}
	return types.PrintResult(result, result.CNIVersion)
}

// del may be called more than once, and for a pod that was never fully added.
func del(args *skel.CmdArgs) error {
	result, err := previous(args)
	if err != nil || result == nil {
		return err
	}
	for _, ip := range result.IPs {
		for _, direction := range []string{"from", "to"} {
			err := nft.Apply(fmt.Sprintf("delete element inet netpol %s { %s }\n", direction, ip.Address.IP))
			if err != nil && !strings.Contains(err.Error(), "No such file or directory") {
				return err
			}
		}
	}
	return nil
}

func previous(args *skel.CmdArgs) (*current.Result, error) {
	conf := types.NetConf{}
	if err := json.Unmarshal(args.StdinData, &conf); err != nil {
		return nil, err
	}
	if err := version.ParsePrevResult(&conf); err != nil {
		return nil, err
	}
	if conf.PrevResult == nil {
		return nil, nil
	}
	return current.NewResultFromResult(conf.PrevResult)
}

func namespaceOf(args *skel.CmdArgs) (string, error) {
	pod := struct {
		types.CommonArgs
		K8S_POD_NAMESPACE types.UnmarshallableString
	}{CommonArgs: types.CommonArgs{IgnoreUnknown: true}}
	if err := types.LoadArgs(args.Args, &pod); err != nil {
		return "", err
	}
	if pod.K8S_POD_NAMESPACE == "" {
		return "", fmt.Errorf("CNI_ARGS names no K8S_POD_NAMESPACE: %q", args.Args)
	}
	return string(pod.K8S_POD_NAMESPACE), nil
}
